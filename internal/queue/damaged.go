package queue

import (
	"context"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// SetAside takes the order's place off the queue, whatever it holds, and keeps it
// for Damaged to list. The order itself is in the ledger and can be queued anew.
// It says whether there was such a place; repeating it changes nothing. It
// returns order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) SetAside(ctx context.Context, q order.Queue, id string) (bool, error) {
	keys := []string{
		taskKey(place{q, id}), queueKey(q, "damaged"), queueKey(q, "damaged_at"),
		queueKey(q, "active"), queueKey(q, "lease"), queueKey(q, "pending"),
		queueKey(q, "scheduled"), queueKey(q, "retry"), queueKey(q, "archived"),
	}
	n, err := setasideScript.Run(ctx, s.rdb, keys,
		id, time.Now().UnixMicro(), order.MaxDamagedBytes, order.MaxDamaged).Int()
	if err != nil {
		return false, fmt.Errorf("set task of order %s aside: %w: %w", id, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// Damaged lists what has been set aside of a queue, newest first, at most limit
// places. It returns order.ErrUnavailable when Redis could not be asked.
func (i *Inspector) Damaged(ctx context.Context, q order.Queue, limit int) ([]order.Damaged, error) {
	newest, err := i.rdb.ZRevRangeWithScores(ctx, queueKey(q, "damaged_at"), 0, int64(limit)-1).Result()
	if err != nil || len(newest) == 0 {
		return nil, damagedError(err, q)
	}
	ids := make([]string, len(newest))
	for n, z := range newest {
		ids[n], _ = z.Member.(string)
	}
	messages, err := i.rdb.HMGet(ctx, queueKey(q, "damaged"), ids...).Result()
	if err != nil {
		return nil, damagedError(err, q)
	}
	found := make([]order.Damaged, len(ids))
	for n, id := range ids {
		message, _ := messages[n].(string)
		at := time.UnixMicro(int64(newest[n].Score)).UTC()
		found[n] = order.Damaged{ID: id, Queue: q, SetAsideAt: at, Message: []byte(message)}
	}
	return found, nil
}

func damagedError(err error, q order.Queue) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("list what is damaged in queue %s: %w: %w", q, order.ErrUnavailable, err)
}
