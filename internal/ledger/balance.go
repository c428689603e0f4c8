package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// scanPage is about how many keys Balance asks Redis for at once: a millisecond or two.
const scanPage = 1000

// Balance restores indexes and gauges from the records when the books have drift, as
// after a script that Redis stopped halfway. It returns the drift that it found and how
// many orders were in a wrong index. Other updates may run meanwhile. Balance costs one
// script while there is no drift, and otherwise a scan of all keys in Redis. Repeating
// it is safe. Durations and events that the script did not write stay missing.
func (b *Book) Balance(ctx context.Context) (drift int64, reindexed int, err error) {
	totals, err := b.Totals(ctx)
	if err != nil || totals.Drift() == 0 {
		return 0, 0, err
	}
	err = eachNode(ctx, b.rdb, func(ctx context.Context, rdb redis.Cmdable) error {
		n, err := b.reindexNode(ctx, rdb)
		reindexed += n
		return err
	})
	if err != nil {
		return totals.Drift(), reindexed, err
	}
	keys, names := []string{b.keys.counters}, make([]any, 0, len(order.Statuses()))
	for _, s := range order.Statuses() {
		keys, names = append(keys, b.keys.index(s)), append(names, string(s))
	}
	err = recountScript.Run(ctx, b.rdb, keys, names...).Err()
	return totals.Drift(), reindexed, wrap(err, "recount the orders")
}

// reindexNode scans the records of one Redis, skips those that cannot be read, and
// returns how many were in a wrong index.
func (b *Book) reindexNode(ctx context.Context, rdb redis.Cmdable) (reindexed int, err error) {
	for cursor := uint64(0); ; {
		keys, next, err := rdb.Scan(ctx, cursor, b.keys.records+"*", scanPage).Result()
		if err != nil {
			return reindexed, wrap(err, "list the records")
		}
		for i, key := range keys {
			keys[i] = strings.TrimPrefix(key, b.keys.records)
		}
		n, err := b.reindex(ctx, keys)
		if reindexed += n; err != nil || next == 0 {
			return reindexed, err
		}
		cursor = next
	}
}

func (b *Book) reindex(ctx context.Context, ids []string) (reindexed int, err error) {
	records, err := b.records(ctx, ids)
	if err != nil && !errors.Is(err, order.ErrUnreadable) {
		return 0, err
	}
	for page := range slices.Chunk(records, maxBatch) {
		updates := make([]update, len(page))
		for i, rec := range page {
			updates[i] = update{id: rec.ID, other: b.keys.customer(rec.Customer)}
		}
		answers, err := b.runScript(ctx, reindexScript, updates)
		if err != nil {
			return reindexed, wrap(err, "reindex %d orders", len(page))
		}
		for i, a := range answers {
			switch a.word {
			case "reindexed":
				reindexed++
			case "error":
				return reindexed, fmt.Errorf("reindex order %s: %w", page[i].ID, replied(a.rest))
			}
		}
	}
	return reindexed, nil
}
