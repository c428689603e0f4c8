package queue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// lateAckTimeout bounds an acknowledgement that is tried again, as Asynq's own
// context no longer does.
const lateAckTimeout = 3 * time.Second

// errTaken is a late acknowledgement of a delivery that a newer one has
// followed.
var errTaken = errors.New("a newer delivery holds the task")

// lateAcknowledgement is a go-redis hook that lets Asynq acknowledge a task
// although the context it kept for that is cancelled.
//
// When an acknowledgement fails, Asynq 0.26 repeats it every five seconds while
// the lease lasts, but with the context of the first try, which is cancelled by
// then. Without this hook no repeat ever reaches Redis, and the order is
// delivered again a minute later.
//
// A repeat must not touch a newer delivery: the first try may have been applied
// with its answer lost, and the order be with a worker again. The context still
// tells when the lease of its own delivery ends; a lease that ends later is
// somebody else's.
type lateAcknowledgement struct{ rdb redis.UniversalClient }

var _ redis.Hook = lateAcknowledgement{}

// DialHook implements redis.Hook.
func (lateAcknowledgement) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (lateAcknowledgement) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (h lateAcknowledgement) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if ctx.Err() == nil {
			return next(ctx, cmd)
		}
		lease, id, ok := acknowledged(cmd)
		if !ok {
			return next(ctx, cmd)
		}
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateAckTimeout)
		defer cancel()
		if err := h.checkLease(fresh, ctx, lease, id); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(fresh, cmd)
	}
}

// checkLease returns an error unless the lease is that of the delivery whose
// context late is, or gone.
func (h lateAcknowledgement) checkLease(ctx, late context.Context, lease, id string) error {
	until, bounded := late.Deadline()
	score, err := h.rdb.ZScore(ctx, lease, id).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return err
	case !bounded || int64(score) > until.Unix():
		return errTaken
	default:
		return nil
	}
}

// acknowledged returns the lease key and the task id of a script by which Asynq
// ends a delivery: done, retry and archive. Of other commands, ours among them,
// the callers mean it when they cancel.
func acknowledged(cmd redis.Cmder) (lease, id string, ok bool) {
	keys := keysOf(cmd)
	if args := cmd.Args(); len(args) > 3+len(keys) {
		id, ok = args[3+len(keys)].(string)
	}
	for _, key := range keys {
		if strings.HasSuffix(key, "}:lease") {
			return key, id, ok
		}
	}
	return "", "", false
}
