package queue

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

//go:embed scripts/setaside.lua
var setasideLua string

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

// Damaged lists what has been set aside of a queue, newest first. It returns
// order.ErrUnavailable when Redis could not be asked.
func (i *Inspector) Damaged(ctx context.Context, q order.Queue) ([]order.Damaged, error) {
	pipe := i.rdb.Pipeline()
	times := pipe.ZRangeWithScores(ctx, queueKey(q, "damaged_at"), 0, -1)
	messages := pipe.HGetAll(ctx, queueKey(q, "damaged"))
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list what is damaged in queue %s: %w: %w", q, order.ErrUnavailable, err)
	}
	found := make([]order.Damaged, 0, len(times.Val()))
	for _, z := range slices.Backward(times.Val()) {
		found = append(found, damaged(q, z, messages.Val()))
	}
	return found, nil
}

func damaged(q order.Queue, z redis.Z, messages map[string]string) order.Damaged {
	id, _ := z.Member.(string)
	return order.Damaged{
		ID: id, Queue: q, SetAsideAt: time.UnixMicro(int64(z.Score)).UTC(), Message: []byte(messages[id]),
	}
}
