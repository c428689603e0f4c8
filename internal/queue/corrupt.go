package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// StoreCorrupt removes the task of an order from its queue, whatever it holds, and stores it
// for CorruptTasks to list. It reports whether there was a task; repeating it changes
// nothing.
func (t *Tasks) StoreCorrupt(ctx context.Context, q order.Queue, id string) (bool, error) {
	queue := t.names.of(q, id)
	keys := []string{
		taskKey(queue, id), queueKey(queue, "corrupt"), queueKey(queue, "corrupt_at"),
		queueKey(queue, "active"), queueKey(queue, "lease"), queueKey(queue, "pending"),
		queueKey(queue, "scheduled"), queueKey(queue, "retry"), queueKey(queue, "archived"),
	}
	n, err := storeCorruptScript.Run(ctx, t.rdb, keys,
		id, time.Now().UnixMicro(), recovery.MaxCorruptBytes, recovery.MaxCorruptTasks).Int()
	if err != nil {
		return false, fmt.Errorf("store corrupt task of order %s: %w: %w", id, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// CorruptTasks lists the stored corrupt tasks of a queue, newest first, at most limit. It
// returns order.ErrUnavailable when Redis does not answer for each book.
func (i *Inspector) CorruptTasks(ctx context.Context, q order.Queue, limit int) ([]recovery.CorruptTask, error) {
	failed := func(err error) error {
		return fmt.Errorf("list corrupt tasks of queue %s: %w: %w", q, order.ErrUnavailable, err)
	}
	newest, err := i.newestCorrupt(ctx, q, limit)
	if err != nil {
		return nil, failed(err)
	}
	if len(newest) == 0 {
		return nil, nil
	}
	tasks, messages, pipe := make([]recovery.CorruptTask, len(newest)), make([]*redis.StringCmd, len(newest)), i.rdb.Pipeline()
	for n, z := range newest {
		id, _ := z.Member.(string)
		tasks[n] = recovery.CorruptTask{ID: id, Queue: q, FoundAt: time.UnixMicro(int64(z.Score)).UTC()}
		messages[n] = pipe.HGet(ctx, queueKey(i.names.of(q, id), "corrupt"), id)
	}
	_, _ = pipe.Exec(ctx) // each command has its own answer
	for n := range tasks {
		message, err := messages[n].Bytes()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, failed(err)
		}
		tasks[n].Message = message
	}
	return tasks, nil
}

// newestCorrupt returns the ids of the newest corrupt tasks of a queue over all books, with
// the microsecond in which each was found.
func (i *Inspector) newestCorrupt(ctx context.Context, q order.Queue, limit int) (newest []redis.Z, err error) {
	pipe := i.rdb.Pipeline()
	for _, queue := range i.names.each[q] {
		pipe.ZRevRangeWithScores(ctx, queueKey(queue, "corrupt_at"), 0, int64(limit)-1)
	}
	answers, err := pipe.Exec(ctx)
	if err != nil {
		return nil, err
	}
	for _, answer := range answers {
		found, _ := answer.(*redis.ZSliceCmd)
		newest = append(newest, found.Val()...)
	}
	slices.SortStableFunc(newest, func(a, b redis.Z) int { return cmp.Compare(b.Score, a.Score) })
	return newest[:min(len(newest), limit)], nil
}
