package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// delayedPage is roughly how many tasks Delayed returns at once.
const delayedPage = 200

// delayedSets are the sets of a queue that have delayed tasks.
func delayedSets() []string { return []string{"scheduled", "retry", "archived"} }

// Delayed returns some of the delayed tasks, about 200, and the next ones at the next
// call. done is true at the end of a walk through all of them; the next call starts
// another walk.
func (t *Tasks) Delayed(ctx context.Context) (found []recovery.DelayedTask, done bool, err error) {
	queues, sets := t.queues(), delayedSets()
	queue, set := queues[t.delayedSet/len(sets)], sets[t.delayedSet%len(sets)]
	entries, cursor, err := t.rdb.ZScan(ctx, queueKey(queue, set), t.delayedCursor, "", delayedPage).Result()
	if err != nil {
		return nil, false, fmt.Errorf("list %s tasks of queue %s: %w: %w", set, queue, order.ErrUnavailable, err)
	}
	q := t.names.queue[queue]
	for i := 0; i+1 < len(entries); i += 2 {
		task := recovery.DelayedTask{ID: entries[i], Queue: q}
		if at, err := strconv.ParseFloat(entries[i+1], 64); err == nil && set == "archived" {
			task.ArchivedAt = time.Unix(int64(at), 0).UTC()
		}
		found = append(found, task)
	}
	if t.delayedCursor = cursor; cursor == 0 {
		t.delayedSet = (t.delayedSet + 1) % (len(queues) * len(sets))
	}
	return found, cursor == 0 && t.delayedSet == 0, nil
}

// Remove removes a delayed task, and reports whether it was still there.
func (t *Tasks) Remove(ctx context.Context, task recovery.DelayedTask) (bool, error) {
	queue := t.names.of(task.Queue, task.ID)
	keys := []string{
		taskKey(queue, task.ID), queueKey(queue, "scheduled"), queueKey(queue, "retry"), queueKey(queue, "archived"),
	}
	n, err := removeScript.Run(ctx, t.rdb, keys, task.ID).Int()
	if err != nil {
		return false, fmt.Errorf("remove task of order %s: %w: %w", task.ID, order.ErrUnavailable, err)
	}
	return n == 1, nil
}
