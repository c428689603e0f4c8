package queue

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// lateAckTimeout bounds an acknowledgement that is tried again, as Asynq's own
// context no longer does.
const lateAckTimeout = 3 * time.Second

// lateAcknowledgement is a go-redis hook that lets Asynq acknowledge a task
// although the context it kept for that is cancelled.
//
// When an acknowledgement fails, Asynq 0.26 repeats it every five seconds while
// the lease lasts, but with the context of the first try, which is cancelled by
// then. Without this hook no repeat ever reaches Redis, and the order is
// delivered again a minute later.
type lateAcknowledgement struct{}

var _ redis.Hook = lateAcknowledgement{}

// DialHook implements redis.Hook.
func (lateAcknowledgement) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (lateAcknowledgement) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (lateAcknowledgement) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if ctx.Err() == nil || !asynqScript(cmd) {
			return next(ctx, cmd)
		}
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateAckTimeout)
		defer cancel()
		return next(fresh, cmd)
	}
}

// asynqScript tells Asynq's scripts from ours, whose callers mean it when they
// cancel.
func asynqScript(cmd redis.Cmder) bool {
	args := cmd.Args()
	if !strings.HasPrefix(cmd.Name(), "eval") || len(args) < 4 {
		return false
	}
	key, ok := args[3].(string)
	return ok && strings.HasPrefix(key, "asynq:")
}
