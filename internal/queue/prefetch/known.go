package prefetch

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// AllQueuesKnown returns the Redis client for an asynq.Client or asynq.Inspector of the
// queues of several books. It answers for Redis that a queue is in the set of all queues,
// which Asynq asks before it touches the queue: otherwise no book could be used while the
// Redis node of that set is away.
func AllQueuesKnown(rdb redis.UniversalClient) redis.UniversalClient { return knownClient{rdb} }

type knownClient struct{ redis.UniversalClient }

// SAdd adds to a set, except for that of all queues.
func (c knownClient) SAdd(ctx context.Context, key string, members ...any) *redis.IntCmd {
	if key != queuesKey {
		return c.UniversalClient.SAdd(ctx, key, members...)
	}
	return redis.NewIntResult(0, nil)
}

// SIsMember reports what is in a set. All queues are in that of all queues.
func (c knownClient) SIsMember(ctx context.Context, key string, member any) *redis.BoolCmd {
	if key != queuesKey {
		return c.UniversalClient.SIsMember(ctx, key, member)
	}
	return redis.NewBoolResult(true, nil)
}
