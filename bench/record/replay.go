package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// together is how many commands travel to Redis at once.
const together = 200

// Changes leaves out what belongs to a connection and not to the work: greetings,
// subscriptions, and questions about Redis itself.
func Changes(commands [][]any) [][]any {
	var kept [][]any
	for _, c := range commands {
		if !is(c, connections()...) {
			kept = append(kept, c)
		}
	}
	return kept
}

// connections are the commands that Changes leaves out. Those of a transaction are
// among them: what stands between them is kept.
func connections() []string {
	return []string{
		"hello", "auth", "select", "client", "ping", "info", "config", "time", "command", "quit", "reset",
		"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "multi", "exec", "watch", "unwatch",
	}
}

// is says whether a command has one of these names.
func is(command []any, names ...string) bool {
	name, _ := command[0].(string)
	return slices.Contains(names, strings.ToLower(name))
}

// Useful plays commands back once and returns those that found something to do:
// neither an error, as a script has that Redis does not know yet, nor nothing, as a
// worker's look at an empty queue. It keeps all that bring a script's text, from
// which Redis knows it when it is only named afterwards.
func Useful(ctx context.Context, rdb *redis.Client, commands [][]any) ([][]any, error) {
	var useful [][]any
	err := Replay(ctx, rdb, commands, func(command []any, err error) {
		if err == nil || is(command, "eval") {
			useful = append(useful, command)
		}
	})
	return useful, err
}

// Replay plays commands back, in pipelines on one connection after the other, and
// tells what came of each: redis.Nil for one that answers nothing. It returns an
// error when Redis could not be asked.
func Replay(ctx context.Context, rdb *redis.Client, commands [][]any, each func(command []any, err error)) error {
	for first := 0; first < len(commands); first += together {
		some := commands[first:min(first+together, len(commands))]
		pipe := rdb.Pipeline()
		for _, c := range some {
			_ = pipe.Do(ctx, c...) // only queues it
		}
		answers, _ := pipe.Exec(ctx) // each has an error of its own
		for i, a := range answers {
			var refusal redis.Error
			if err := a.Err(); err != nil && !errors.As(err, &refusal) {
				return fmt.Errorf("replay %d commands: %w", len(commands), err)
			}
			each(some[i], a.Err())
		}
	}
	return nil
}
