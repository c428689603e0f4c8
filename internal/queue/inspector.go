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

// Inspector reads what is in the queues, and pauses them; it never changes a task. It is
// safe for concurrent use.
//
// It reads Asynq's keys itself, as Asynq's GetQueueInfo fails on a queue that nobody has
// used yet, and whenever the hash of a task is missing.
type Inspector struct {
	rdb    redis.UniversalClient
	asynq  *asynq.Inspector
	queues []order.Queue
}

// NewInspector returns an inspector on rdb, which stays the caller's to close.
func NewInspector(rdb redis.UniversalClient) *Inspector {
	return &Inspector{rdb: rdb, asynq: asynq.NewInspectorFromRedisClient(rdb), queues: order.Queues()}
}

// Register adds the queues to the set in which Asynq's inspector and Asynqmon find them.
// Asynq's client does so once for each queue, and not again when Redis has lost them. It
// may be called at any time, and returns order.ErrUnavailable when Redis did not answer.
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

// Backlog returns how many tasks of all queues wait for a worker or for their time.
func (i *Inspector) Backlog(ctx context.Context) (int64, error) {
	depths, err := i.Depths(ctx)
	var n int64
	for _, d := range depths {
		n += d.Backlog()
	}
	return n, err
}

// Depths returns how many tasks each queue has. A queue that nobody has used is empty. It
// returns order.ErrUnavailable when Redis did not answer.
func (i *Inspector) Depths(ctx context.Context) (map[order.Queue]stats.Depth, error) {
	pipe := i.rdb.Pipeline()
	answers := make([]depthAnswers, len(i.queues))
	for n, q := range i.queues {
		answers[n] = askDepth(ctx, pipe, q)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("read queue depths: %w: %w", order.ErrUnavailable, err)
	}
	depths := map[order.Queue]stats.Depth{}
	for n, q := range i.queues {
		d := answers[n].depth()
		d.OldestPending = i.pendingFor(ctx, q, answers[n].oldest.Val())
		depths[q] = d
	}
	return depths, nil
}

// depthAnswers are the answers about one queue.
type depthAnswers struct {
	pending, active, scheduled, retry, archived, paused *redis.IntCmd
	oldest                                              *redis.StringSliceCmd
}

func askDepth(ctx context.Context, pipe redis.Pipeliner, q order.Queue) depthAnswers {
	return depthAnswers{
		pending:   pipe.LLen(ctx, queueKey(q, "pending")),
		active:    pipe.LLen(ctx, queueKey(q, "active")),
		scheduled: pipe.ZCard(ctx, queueKey(q, "scheduled")),
		retry:     pipe.ZCard(ctx, queueKey(q, "retry")),
		archived:  pipe.ZCard(ctx, queueKey(q, "archived")),
		paused:    pipe.Exists(ctx, queueKey(q, "paused")),
		oldest:    pipe.LRange(ctx, queueKey(q, "pending"), -1, -1),
	}
}

func (a depthAnswers) depth() stats.Depth {
	return stats.Depth{
		Pending: a.pending.Val(), Active: a.active.Val(), Scheduled: a.scheduled.Val(),
		Retry: a.retry.Val(), Archived: a.archived.Val(), Paused: a.paused.Val() > 0,
	}
}

// pendingFor returns how long the oldest pending task has waited, zero when there is none
// or a worker has just taken it.
func (i *Inspector) pendingFor(ctx context.Context, q order.Queue, oldest []string) time.Duration {
	if len(oldest) == 0 {
		return 0
	}
	text, err := i.rdb.HGet(ctx, taskKey(q, oldest[0]), "pending_since").Result()
	if err != nil {
		return 0
	}
	ns, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return max(0, time.Since(time.Unix(0, ns)))
}
