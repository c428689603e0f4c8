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

// delayedSet is a set of delayed tasks, and how far it has been read.
type delayedSet struct {
	queue  order.Queue
	name   string
	cursor uint64
}

// delayedSets returns all sets, unread.
func delayedSets() []delayedSet {
	var sets []delayedSet
	for _, q := range order.Queues() {
		for _, name := range []string{"scheduled", "retry", "archived"} {
			sets = append(sets, delayedSet{queue: q, name: name})
		}
	}
	return sets
}

// Delayed returns some of the delayed tasks, about 200, and the next ones at the next
// call. done is true at the end of a walk through all of them; the next call starts
// another walk. It must not run concurrently with itself. It returns order.ErrUnavailable
// when Redis does not answer.
func (t *Tasks) Delayed(ctx context.Context) (found []recovery.DelayedTask, done bool, err error) {
	if len(t.walk) == 0 {
		t.walk = delayedSets()
	}
	set := &t.walk[0]
	entries, cursor, err := t.rdb.ZScan(ctx, queueKey(set.queue, set.name), set.cursor, "", delayedPage).Result()
	if err != nil {
		return nil, false, fmt.Errorf("list %s tasks of queue %s: %w: %w", set.name, set.queue, order.ErrUnavailable, err)
	}
	for i := 0; i+1 < len(entries); i += 2 {
		task := recovery.DelayedTask{ID: entries[i], Queue: set.queue}
		if at, err := strconv.ParseFloat(entries[i+1], 64); err == nil && set.name == "archived" {
			task.ArchivedAt = time.Unix(int64(at), 0).UTC()
		}
		found = append(found, task)
	}
	if set.cursor = cursor; cursor == 0 {
		t.walk = t.walk[1:]
	}
	return found, len(t.walk) == 0, nil
}

// Remove removes a delayed task, and reports whether it was still there. It returns
// order.ErrUnavailable when Redis does not answer.
func (t *Tasks) Remove(ctx context.Context, task recovery.DelayedTask) (bool, error) {
	keys := []string{
		taskKey(taskRef{task.Queue, task.ID}),
		queueKey(task.Queue, "scheduled"), queueKey(task.Queue, "retry"), queueKey(task.Queue, "archived"),
	}
	n, err := removeScript.Run(ctx, t.rdb, keys, task.ID).Int()
	if err != nil {
		return false, fmt.Errorf("remove task of order %s: %w: %w", task.ID, order.ErrUnavailable, err)
	}
	return n == 1, nil
}
