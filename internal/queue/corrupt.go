package queue

import (
	"context"
	"fmt"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// StoreCorrupt removes the task of an order from its queue, whatever it holds, and stores it
// for CorruptTasks to list. It reports whether there was a task; repeating it changes
// nothing.
func (t *Tasks) StoreCorrupt(ctx context.Context, q order.Queue, id string) (bool, error) {
	keys := []string{
		taskKey(q, id), queueKey(q, "corrupt"), queueKey(q, "corrupt_at"),
		queueKey(q, "active"), queueKey(q, "lease"), queueKey(q, "pending"),
		queueKey(q, "scheduled"), queueKey(q, "retry"), queueKey(q, "archived"),
	}
	n, err := storeCorruptScript.Run(ctx, t.rdb, keys,
		id, time.Now().UnixMicro(), recovery.MaxCorruptBytes, recovery.MaxCorruptTasks).Int()
	if err != nil {
		return false, fmt.Errorf("store corrupt task of order %s: %w: %w", id, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// CorruptTasks lists the stored corrupt tasks of a queue, newest first, at most limit. It
// returns order.ErrUnavailable when Redis does not answer.
func (i *Inspector) CorruptTasks(ctx context.Context, q order.Queue, limit int) ([]recovery.CorruptTask, error) {
	failed := func(err error) error {
		return fmt.Errorf("list corrupt tasks of queue %s: %w: %w", q, order.ErrUnavailable, err)
	}
	newest, err := i.rdb.ZRevRangeWithScores(ctx, queueKey(q, "corrupt_at"), 0, int64(limit)-1).Result()
	if err != nil {
		return nil, failed(err)
	}
	tasks, ids := make([]recovery.CorruptTask, len(newest)), make([]string, len(newest))
	for n, z := range newest {
		ids[n], _ = z.Member.(string)
		tasks[n] = recovery.CorruptTask{ID: ids[n], Queue: q, FoundAt: time.UnixMicro(int64(z.Score)).UTC()}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	messages, err := i.rdb.HMGet(ctx, queueKey(q, "corrupt"), ids...).Result()
	if err != nil {
		return nil, failed(err)
	}
	for n := range tasks {
		message, _ := messages[n].(string)
		tasks[n].Message = []byte(message)
	}
	return tasks, nil
}
