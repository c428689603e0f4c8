package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// permissionsScript asks Redis which of some commands its user may not run. It runs
// none of them and leaves nothing in ACL LOG, as trying them would.
//
// ARGV[1] is a JSON list of commands, each a list of words. Returns the
// places in the list of those that are refused, or nil from a Redis before 7,
// which cannot tell.
const permissionsScript = `
if not redis.acl_check_cmd then return false end
local refused = {}
for place, words in ipairs(cjson.decode(ARGV[1])) do
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if known and not allowed then refused[#refused + 1] = place end
end
return refused`

// needed lists what the programs run, on a key of each kind.
func needed() []string {
	return slices.Concat(
		[]string{
			"ping", "info", "time", "scan 0", "eval x 0", "evalsha x 0", "script load x",
			"publish asynq:wake x", "subscribe asynq:wake", "subscribe asynq:cancel", "get rate:x", "set rate:x x",
		},
		on("orders:{b0}:c", "hget $ x", "hmget $ x", "hgetall $", "hset $ x x", "hincrby $ x 1", "hdel $ x",
			"zadd $ 1 x", "zrem $ x", "zcard $", "zrange $ 0 1", "zscore $ x",
			"xadd $ * x x", "xtrim $ maxlen 1", "xinfo stream $", "xread streams $ 0", "del $", "get $", "set $ x"),
		on("asynq:{default}:t:x", "exists $", "hset $ x x", "hget $ x", "del $", "get $", "set $ x", "setex $ 1 x",
			"expire $ 1", "expireat $ 1", "incr $", "incrby $ 1"),
		on("asynq:{default}:pending", "lpush $ x", "rpush $ x", "rpop $", "lrem $ 1 x", "llen $", "lrange $ 0 1"),
		on("asynq:{default}:retry", "zadd $ 1 x", "zrem $ x", "zcard $", "zrange $ 0 1", "zrangebyscore $ 0 1", "zrevrange $ 0 1",
			"zremrangebyscore $ 0 1", "zremrangebyrank $ 0 1", "zscan $ 0", "zscore $ x"),
		on("asynq:queues", "sadd $ x", "srem $ x", "smembers $", "sismember $ x"),
		onEach(slices.Sorted(maps.Keys(wellKnown())), "get $", "set $ x"),
		onEach([]string{
			"orders:{b0}:o:x", "orders:{b0}:u:x", "asynq:{low}:t:x", "asynq:{critical}:t:x",
			"asynq:servers", "asynq:servers:{x}", "asynq:workers", "asynq:workers:{x}",
		}, "get $", "set $ x"),
	)
}

// onEach puts each of the keys into commands: rights may be for some keys alone.
func onEach(keys []string, commands ...string) []string {
	all := make([]string, 0, len(keys)*len(commands))
	for _, key := range keys {
		all = append(all, on(key, slices.Clone(commands)...)...)
	}
	return all
}

// on puts a key into commands.
func on(key string, commands ...string) []string {
	for i, c := range commands {
		commands[i] = strings.Replace(c, "$", key, 1)
	}
	return commands
}

// optional lists what nothing but this examination runs.
func optional() []string { return []string{"config get x", "type x", "object encoding x"} }

// access asks which of the commands that the programs need are refused.
func (e *examiner) access(ctx context.Context) ([]Finding, error) {
	const check = "permissions"
	refused, err := askRefused(ctx, e.rdb, needed())
	if err == nil {
		e.refused, err = askRefused(ctx, e.rdb, optional())
	}
	switch {
	case errors.Is(err, redis.Nil):
		return []Finding{unchecked(check, "Redis tells them from version 7 on")}, nil
	case redis.IsPermissionError(err):
		e.barred = true
		return []Finding{problem(check, "the user of REDIS_URL may not run EVAL, which everything needs", aclAdvice)}, nil
	case err != nil:
		return nil, fmt.Errorf("ask for permissions: %w", err)
	case len(refused) > 0:
		e.facts.Unusable = errors.New("the user of REDIS_URL may not run " + brief(refused))
		return []Finding{problem(check, "the user of REDIS_URL may not run "+brief(refused), aclAdvice)}, nil
	}
	return []Finding{good(check, "everything that the programs do is allowed")}, nil
}

// toldRefused bounds how many refused commands are named; the rest is counted.
const toldRefused = 6

// brief lists the first of many.
func brief(all []string) string {
	text := strings.Join(all[:min(len(all), toldRefused)], ", ")
	if more := len(all) - toldRefused; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// aclAdvice is what to do about a user that may not do enough.
const aclAdvice = "give the user the rights of deploy/redis-users.acl (ACL SETUSER), on the master and each replica"

// askRefused returns those of the commands that Redis refuses its user, each as its
// first two words, or redis.Nil from a Redis before 7, which cannot say it.
func askRefused(ctx context.Context, rdb redis.UniversalClient, commands []string) ([]string, error) {
	words := make([][]string, len(commands))
	for i, c := range commands {
		words[i] = strings.Fields(c)
	}
	text, err := json.Marshal(words)
	if err != nil {
		return nil, err
	}
	places, err := rdb.Eval(ctx, permissionsScript, nil, text).Int64Slice()
	if err != nil {
		return nil, err
	}
	refused := make([]string, len(places))
	for i, place := range places {
		refused[i] = strings.Join(words[place-1][:min(len(words[place-1]), 2)], " ")
	}
	return refused, nil
}

// refuses says whether Redis is known to refuse one of the optional commands.
func (e *examiner) refuses(command string) bool {
	return slices.ContainsFunc(e.refused, func(refused string) bool { return strings.HasPrefix(refused, command) })
}
