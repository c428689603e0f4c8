package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// aclAdvice is what to do about a user that lacks permissions.
const aclAdvice = "give the user the permissions of deploy/redis-users.acl (ACL SETUSER), on the master and each replica"

// permissionsScript asks Redis which of some commands its user may not run, or which it
// does not have. It runs none of them, so it leaves nothing in ACL LOG.
//
// ARGV[1] is a JSON list of commands, each a list of words. Returns the positions of
// the refused ones, or nil from a Redis before 7, which cannot be asked.
const permissionsScript = `
if not redis.acl_check_cmd then return false end
local refused = {}
for position, words in ipairs(cjson.decode(ARGV[1])) do
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if not known or not allowed then refused[#refused + 1] = position end
end
return refused`

// neededCommands returns the commands of the programs, each on a key of each kind.
func neededCommands() []string {
	return slices.Concat(
		[]string{
			"ping", "info", "time", "scan 0", "eval x 0", "evalsha x 0", "script load x",
			"publish asynq:wake x", "subscribe asynq:wake", "subscribe asynq:cancel", "get rate:x", "set rate:x x",
		},
		on("orders:{b0}:c", "hget $ x", "hmget $ x", "hgetall $", "hset $ x x", "hincrby $ x 1", "hdel $ x", "hlen $",
			"zadd $ 1 x", "zrem $ x", "zcard $", "zcount $ 0 1", "zrange $ 0 1", "zscore $ x", "zrangebyscore $ 0 1", "zremrangebyscore $ 0 1", "expire $ 1", "expireat $ 1",
			"xadd $ * x x", "xtrim $ maxlen 1", "xinfo stream $", "xread streams $ 0", "xrevrange $ + -", "del $", "get $", "set $ x"),
		on("asynq:{default}:t:x", "exists $", "hset $ x x", "hget $ x", "del $", "get $", "set $ x", "setex $ 1 x",
			"expire $ 1", "expireat $ 1", "incr $", "incrby $ 1"),
		on("asynq:{default}:pending", "lpush $ x", "rpush $ x", "rpop $", "rpoplpush $ asynq:{default}:active", "lrem $ 1 x", "llen $", "lrange $ 0 1"),
		on("asynq:{default}:retry", "zadd $ 1 x", "zrem $ x", "zcard $", "zcount $ 0 1", "zrange $ 0 1", "zrangebyscore $ 0 1", "zrevrange $ 0 1",
			"zremrangebyscore $ 0 1", "zremrangebyrank $ 0 1", "zscan $ 0", "zscore $ x"),
		on("asynq:queues", "sadd $ x", "srem $ x", "smembers $", "sismember $ x"),
		onEach(slices.Sorted(maps.Keys(wellKnownKeys(1))), "get $", "set $ x"),
		onEach([]string{
			"orders:{b0}:o:x", "orders:{b0}:u:x", "asynq:{low}:t:x", "asynq:{critical}:t:x",
			"asynq:servers", "asynq:servers:{x}", "asynq:workers", "asynq:workers:{x}",
		}, "get $", "set $ x"),
	)
}

// onEach puts each of the keys into the commands: permissions may cover only some keys.
func onEach(keys []string, commands ...string) []string {
	all := make([]string, 0, len(keys)*len(commands))
	for _, key := range keys {
		all = append(all, on(key, slices.Clone(commands)...)...)
	}
	return all
}

// on puts a key into the commands.
func on(key string, commands ...string) []string {
	for i, c := range commands {
		commands[i] = strings.Replace(c, "$", key, 1)
	}
	return commands
}

// The commands that only the doctor runs, as askRefused returns them.
const (
	commandConfig   = "config get"
	commandType     = "type x"
	commandEncoding = "object encoding"
)

func optionalCommands() []string {
	return []string{commandConfig, commandType, commandEncoding}
}

// checkPermissions reports which of the needed commands are refused.
func checkPermissions(f *facts) Finding {
	switch {
	case errors.Is(f.permissionErr, redis.Nil):
		return unchecked("Redis reports permissions from version 7 on")
	case redis.IsPermissionError(f.permissionErr):
		return problem("the user of REDIS_URL may not run EVAL, which everything needs")
	case f.permissionErr != nil:
		text, _, _ := strings.Cut(reply(f.permissionErr).Error(), ", with args") // without the script
		return problem("Redis refuses EVAL, which everything needs: " + text).
			advise("use a server that runs Lua scripts, as those in docs/DEPLOYMENT.md do")
	case len(f.refused) > 0:
		return problem("the user of REDIS_URL may not run " + abbreviate(f.refused))
	default:
		return good("every command of the programs is allowed")
	}
}

// maxNamed is how many items of a list a finding names; it counts the others.
const maxNamed = 6

func abbreviate(all []string) string {
	text := strings.Join(all[:min(len(all), maxNamed)], ", ")
	if more := len(all) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// askRefused returns those of the commands that Redis refuses its user, each as its
// first two words. The error is redis.Nil for a Redis before 7.
func askRefused(ctx context.Context, rdb redis.UniversalClient, commands []string) ([]string, error) {
	words := make([][]string, len(commands))
	for i, c := range commands {
		words[i] = strings.Fields(c)
	}
	text, err := json.Marshal(words)
	if err != nil {
		return nil, err
	}
	positions, err := rdb.Eval(ctx, permissionsScript, nil, text).Int64Slice()
	if err != nil {
		return nil, err
	}
	refused := make([]string, len(positions))
	for i, p := range positions {
		refused[i] = strings.Join(words[p-1][:min(len(words[p-1]), 2)], " ")
	}
	return refused, nil
}

// tryLogin repeats the login of the client: connections stay open when a password is
// changed or a user is disabled, but the next one would be refused.
func tryLogin(ctx context.Context, rdb redis.UniversalClient) error {
	var user, password string
	switch c := rdb.(type) {
	case *redis.Client:
		user, password = c.Options().Username, c.Options().Password
	case *redis.ClusterClient:
		user, password = c.Options().Username, c.Options().Password
	}
	if password == "" {
		return nil
	}
	return rdb.Do(ctx, "auth", cmp.Or(user, "default"), password).Err()
}
