package prefetch

import (
	"context"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// serverClient is the Redis client of one asynq.Server.
type serverClient struct {
	redis.UniversalClient
	queues     []order.Queue // that the server takes tasks from
	prefetcher *Prefetcher
	beats      beats
}

// EvalSha runs a script of Asynq, or does what the package comment lists instead.
func (c *serverClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	switch {
	case sha == dequeueSHA:
		return c.dequeue(ctx, keys)
	case isListExpired(keys) && (c.prefetcher.isHeld() || isPlain(queueOf(keys[0])) && c.prefetcher.hasBooks()):
		return answered(ctx, []any{}, nil)
	case isForward(keys), c.prefetcher.hasBooks() && isPlain(queueOf(keys[0])):
		return answered(ctx, int64(0), nil)
	}
	return c.lateAck(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		return c.script(ctx, keys, func(ctx context.Context) *redis.Cmd {
			if sha == doneSHA {
				return c.prefetcher.acks.done(ctx, keys, args)
			}
			return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
		})
	})
}

// Eval runs a script of Asynq that Redis does not know yet.
func (c *serverClient) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return c.lateAck(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		return c.script(ctx, keys, func(ctx context.Context) *redis.Cmd {
			return c.UniversalClient.Eval(ctx, script, keys, args...)
		})
	})
}

// dequeue answers with the message of the oldest task of the queue.
func (c *serverClient) dequeue(ctx context.Context, keys []string) *redis.Cmd {
	message, err := c.prefetcher.next(order.Queue(queueOf(keys[0])), c.queues)
	return answered(ctx, message, err)
}

// answered returns a command with an answer that Redis was not asked for.
func answered(ctx context.Context, answer any, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(err)
	cmd.SetVal(answer)
	return cmd
}
