package queue

import (
	"context"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// lane is the Redis client of one Asynq server. It runs some of Asynq's scripts in
// another way: it takes tasks from what was fetched ahead, takes worked ones off
// together with those of other lanes, saves acknowledgements that come late, and
// keeps Asynq from what goes by the clock while the consumer is held.
type lane struct {
	redis.UniversalClient
	queues []order.Queue // those it asks for tasks
	ahead  *ahead
	ended  *ended
}

// newLane returns the Asynq server of a lane with so many slots.
func (c *Consumer) newLane(slots int, weights map[order.Queue]int) *asynq.Server {
	own := &lane{UniversalClient: c.rdb, ahead: c.ahead, ended: c.ended}
	named := map[string]int{}
	for q, w := range weights {
		named[string(q)] = w
		own.queues = append(own.queues, q)
	}
	return asynq.NewServerFromRedisClient(own, asynq.Config{
		Concurrency:              slots,
		Queues:                   named,
		BaseContext:              func() context.Context { return c.base },
		TaskCheckInterval:        checkInterval,
		DelayedTaskCheckInterval: forwardInterval,
		RetryDelayFunc:           c.cfg.Backoff.delayOf,
		IsFailure:                counts,
		ShutdownTimeout:          c.cfg.ShutdownTimeout,
		Logger:                   logger{c.cfg.Log},
		LogLevel:                 asynq.WarnLevel,
	})
}

// EvalSha runs a script of Asynq by its hash.
func (l *lane) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	switch {
	case sha == dequeueSHA:
		return l.dequeue(ctx, keys)
	case l.ahead.holds() && forwards(keys):
		return answered(ctx, int64(0), nil)
	case l.ahead.holds() && listsExpired(keys):
		return answered(ctx, []any{}, nil)
	}
	return l.inTime(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		if sha == doneSHA {
			return l.ended.done(ctx, keys, args)
		}
		return l.UniversalClient.EvalSha(ctx, sha, keys, args...)
	})
}

// Eval runs a script of Asynq that Redis does not know yet.
func (l *lane) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return l.inTime(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		return l.UniversalClient.Eval(ctx, script, keys, args...)
	})
}

// dequeue answers with the message of the queue's oldest task.
func (l *lane) dequeue(ctx context.Context, keys []string) *redis.Cmd {
	message, err := l.ahead.take(queueOf(keys[0]), l.queues)
	return answered(ctx, message, err)
}

// answered is a command that has its answer without Redis.
func answered(ctx context.Context, answer any, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(err)
	cmd.SetVal(answer)
	return cmd
}

// forwards says whether these are the keys of the script that makes tasks pending
// whose time has come.
func forwards(keys []string) bool {
	waits := len(keys) > 1 && (strings.HasSuffix(keys[0], "}:scheduled") || strings.HasSuffix(keys[0], "}:retry"))
	return waits && strings.HasSuffix(keys[1], "}:pending")
}

// listsExpired says whether these are the keys of the script that lists tasks whose
// lease has expired.
func listsExpired(keys []string) bool {
	return len(keys) == 1 && strings.HasSuffix(keys[0], "}:lease")
}

// queueOf is the queue that a key of Asynq belongs to.
func queueOf(key string) order.Queue {
	name, _, _ := strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}")
	return order.Queue(name)
}
