package prefetch

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// serverClient is the Redis client of one asynq.Server.
type serverClient struct {
	redis.UniversalClient
	queues     []order.Queue // that the server takes tasks from
	prefetcher *Prefetcher
}

// EvalSha runs a script of Asynq, or does what the package comment lists instead.
func (c *serverClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	switch {
	case sha == dequeueSHA:
		return c.dequeue(ctx, keys, args)
	case c.prefetcher.isHeld() && isForward(keys):
		return answered(ctx, int64(0), nil)
	case c.prefetcher.isHeld() && isListExpired(keys):
		return answered(ctx, []any{}, nil)
	}
	return c.lateAck(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		if sha == doneSHA {
			return c.prefetcher.acks.done(ctx, keys, args)
		}
		return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
	})
}

// Eval runs a script of Asynq that Redis does not know yet.
func (c *serverClient) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return c.lateAck(ctx, keys, args, func(ctx context.Context) *redis.Cmd {
		return c.UniversalClient.Eval(ctx, script, keys, args...)
	})
}

// dequeue answers with the message of the oldest task of the queue.
func (c *serverClient) dequeue(ctx context.Context, keys []string, args []any) *redis.Cmd {
	prefix, _ := args[1].(string) // args[0] is when the lease would end
	message, err := c.prefetcher.next(queueOf(keys[0]), dequeueCall{keys: keys, prefix: prefix}, c.queues)
	return answered(ctx, message, err)
}

// answered returns a command with an answer that Redis was not asked for.
func answered(ctx context.Context, answer any, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(err)
	cmd.SetVal(answer)
	return cmd
}

// isForward reports whether these are the keys of the script that makes due tasks
// pending.
func isForward(keys []string) bool {
	delayed := len(keys) > 1 && (strings.HasSuffix(keys[0], "}:scheduled") || strings.HasSuffix(keys[0], "}:retry"))
	return delayed && strings.HasSuffix(keys[1], "}:pending")
}

// isListExpired reports whether these are the keys of the script that lists tasks
// whose lease has expired.
func isListExpired(keys []string) bool {
	return len(keys) == 1 && strings.HasSuffix(keys[0], "}:lease")
}

// queueOf returns the queue in a key of Asynq.
func queueOf(key string) order.Queue {
	name, _, _ := strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}")
	return order.Queue(name)
}
