package queue

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// hold is a go-redis hook that, while it is on, lets Asynq find all queues empty.
// Asynq can stop fetching only for good.
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
		if !h.on.Load() || !dequeues(cmd) {
			return next(ctx, cmd)
		}
		cmd.SetErr(redis.Nil)
		return redis.Nil
	}
}

// dequeues says whether a command is the script by which Asynq fetches a task: the
// one whose keys are the pending tasks of a queue and its brake.
func dequeues(cmd redis.Cmder) bool {
	args := cmd.Args() // eval, script, number of keys, keys, arguments
	if !strings.HasPrefix(cmd.Name(), "eval") || len(args) < 5 {
		return false
	}
	pending, _ := args[3].(string)
	paused, _ := args[4].(string)
	return strings.HasPrefix(pending, "asynq:{") && strings.HasSuffix(pending, "}:pending") &&
		strings.HasSuffix(paused, "}:paused")
}
