package queue

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// hold is a go-redis hook that, while it is on, keeps Asynq from whatever it does
// by the clock of this machine: fetching, moving on what is due, and taking back
// what it thinks expired. It finds nothing of that kind then. Asynq itself can
// stop only for good. Leases are still renewed, and deliveries acknowledged.
type hold struct{ on *atomic.Bool }

var _ redis.Hook = hold{}

// DialHook implements redis.Hook.
func (hold) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (hold) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (h hold) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		script, isScript := cmd.(*redis.Cmd)
		if !h.on.Load() || !isScript {
			return next(ctx, cmd)
		}
		switch {
		case dequeues(cmd):
			cmd.SetErr(redis.Nil)
			return redis.Nil
		case forwards(cmd):
			script.SetVal(int64(0))
			return nil
		case listsExpired(cmd):
			script.SetVal([]any{})
			return nil
		default:
			return next(ctx, cmd)
		}
	}
}

// dequeues says whether a command is the script by which Asynq fetches a task: the
// one whose keys are the pending tasks of a queue and its brake.
func dequeues(cmd redis.Cmder) bool {
	keys := keysOf(cmd)
	return len(keys) > 1 && strings.HasSuffix(keys[0], "}:pending") && strings.HasSuffix(keys[1], "}:paused")
}

// forwards says whether it is the one that makes tasks pending whose time has come.
func forwards(cmd redis.Cmder) bool {
	keys := keysOf(cmd)
	waits := len(keys) == 2 && (strings.HasSuffix(keys[0], "}:scheduled") || strings.HasSuffix(keys[0], "}:retry"))
	return waits && strings.HasSuffix(keys[1], "}:pending")
}

// listsExpired says whether it is the one that lists tasks whose lease has expired.
func listsExpired(cmd redis.Cmder) bool {
	keys := keysOf(cmd)
	return len(keys) == 1 && strings.HasSuffix(keys[0], "}:lease")
}

// keysOf returns the keys of a script of Asynq, nothing of any other command.
func keysOf(cmd redis.Cmder) []string {
	args := cmd.Args() // eval, script, number of keys, keys, arguments
	if !strings.HasPrefix(cmd.Name(), "eval") || len(args) < 3 {
		return nil
	}
	n, _ := args[2].(int)
	if n < 1 || len(args) < 3+n {
		return nil
	}
	keys := make([]string, n)
	for i := range keys {
		keys[i], _ = args[3+i].(string)
		if !strings.HasPrefix(keys[i], "asynq:{") {
			return nil
		}
	}
	return keys
}
