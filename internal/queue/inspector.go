package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// Inspector looks at the queues and holds their brakes; tasks it never touches. It
// is safe for concurrent use.
//
// It reads Asynq's keys itself: Asynq's own GetQueueInfo fails on a queue that
// nobody has used yet, and whenever one task has vanished.
type Inspector struct {
	rdb    redis.UniversalClient
	asynq  *asynq.Inspector
	queues []order.Queue
}

// NewInspector returns an inspector on rdb, which stays the caller's to close.
func NewInspector(rdb redis.UniversalClient) *Inspector {
	return &Inspector{rdb: rdb, asynq: asynq.NewInspectorFromRedisClient(rdb), queues: order.Queues()}
}

// queuesKey lists the queues that Asynq knows.
const queuesKey = "asynq:queues"

// queueKey is a key of Asynq 0.26 that belongs to one queue.
func queueKey(q order.Queue, name string) string { return "asynq:{" + string(q) + "}:" + name }

// Register adds the queues to those that Asynq knows, by which its inspector and
// Asynqmon find them. Asynq's client does so once for each queue, and never again
// when Redis has lost them. It may be called at any time, and returns
// order.ErrUnavailable when Redis could not be asked.
func (i *Inspector) Register(ctx context.Context) error {
	names := make([]any, len(i.queues))
	for n, q := range i.queues {
		names[n] = string(q)
	}
	if err := i.rdb.SAdd(ctx, queuesKey, names...).Err(); err != nil {
		return fmt.Errorf("register the queues: %w: %w", order.ErrUnavailable, err)
	}
	return nil
}

// Backlog returns how many tasks wait in all queues together, for a worker or
// for their time.
func (i *Inspector) Backlog(ctx context.Context) (int64, error) {
	depths, err := i.Depths(ctx)
	var n int64
	for _, d := range depths {
		n += d.Backlog()
	}
	return n, err
}

// Depths returns what is in each queue. A queue that nobody has used is empty.
func (i *Inspector) Depths(ctx context.Context) (map[order.Queue]stats.Depth, error) {
	pipe := i.rdb.Pipeline()
	readings := make([]reading, len(i.queues))
	for n, q := range i.queues {
		readings[n] = read(ctx, pipe, q)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("read queue depths: %w: %w", order.ErrUnavailable, err)
	}
	depths := map[order.Queue]stats.Depth{}
	for n, q := range i.queues {
		d := readings[n].depth()
		d.OldestPending = i.waitedSince(ctx, q, readings[n].oldest.Val())
		depths[q] = d
	}
	return depths, nil
}

// reading is the answers about one queue.
type reading struct {
	pending, active, scheduled, retry, archived, paused *redis.IntCmd
	oldest                                              *redis.StringSliceCmd
}

func read(ctx context.Context, pipe redis.Pipeliner, q order.Queue) reading {
	return reading{
		pending:   pipe.LLen(ctx, queueKey(q, "pending")),
		active:    pipe.LLen(ctx, queueKey(q, "active")),
		scheduled: pipe.ZCard(ctx, queueKey(q, "scheduled")),
		retry:     pipe.ZCard(ctx, queueKey(q, "retry")),
		archived:  pipe.ZCard(ctx, queueKey(q, "archived")),
		paused:    pipe.Exists(ctx, queueKey(q, "paused")),
		oldest:    pipe.LRange(ctx, queueKey(q, "pending"), -1, -1),
	}
}

func (r reading) depth() stats.Depth {
	return stats.Depth{
		Pending: r.pending.Val(), Active: r.active.Val(), Scheduled: r.scheduled.Val(),
		Retry: r.retry.Val(), Archived: r.archived.Val(), Paused: r.paused.Val() > 0,
	}
}

// waitedSince returns how long the oldest pending task has waited, or zero when
// there is none or it has just been taken.
func (i *Inspector) waitedSince(ctx context.Context, q order.Queue, oldest []string) time.Duration {
	if len(oldest) == 0 {
		return 0
	}
	text, err := i.rdb.HGet(ctx, queueKey(q, "t:"+oldest[0]), "pending_since").Result()
	if err != nil {
		return 0
	}
	ns, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return max(0, time.Since(time.Unix(0, ns)))
}
