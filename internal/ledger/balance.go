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
func (l *Ledger) Balance(ctx context.Context) (drift int64, reindexed int, err error) {
	totals, err := l.Totals(ctx)
	if err != nil || totals.Drift() == 0 {
		return 0, 0, err
	}
	err = l.eachNode(ctx, func(ctx context.Context, rdb redis.Cmdable) error {
		n, err := l.reindexNode(ctx, rdb)
		reindexed += n
		return err
	})
	if err != nil {
		return totals.Drift(), reindexed, err
	}
	keys, names := []string{countersKey}, make([]any, 0, len(order.Statuses()))
	for _, s := range order.Statuses() {
		keys, names = append(keys, indexKey(s)), append(names, string(s))
	}
	err = recountScript.Run(ctx, l.rdb, keys, names...).Err()
	return totals.Drift(), reindexed, wrap(err, "recount the orders")
}

// eachNode calls a function for each primary of a Redis Cluster, one after the other,
// or for the one Redis there is.
func (l *Ledger) eachNode(ctx context.Context, do func(context.Context, redis.Cmdable) error) error {
	cluster, ok := l.rdb.(*redis.ClusterClient)
	if !ok {
		return do(ctx, l.rdb)
	}
	var nodes []*redis.Client
	err := cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		nodes = append(nodes, node)
		return nil
	})
	for _, node := range nodes {
		err = errors.Join(err, do(ctx, node))
	}
	return err
}

// reindexNode scans the records of one Redis, skips those that cannot be read, and
// returns how many were in a wrong index.
func (l *Ledger) reindexNode(ctx context.Context, rdb redis.Cmdable) (reindexed int, err error) {
	for cursor := uint64(0); ; {
		keys, next, err := rdb.Scan(ctx, cursor, recordPrefix+"*", scanPage).Result()
		if err != nil {
			return reindexed, wrap(err, "list the records")
		}
		for i, key := range keys {
			keys[i] = strings.TrimPrefix(key, recordPrefix)
		}
		n, err := l.reindex(ctx, keys)
		if reindexed += n; err != nil || next == 0 {
			return reindexed, err
		}
		cursor = next
	}
}

func (l *Ledger) reindex(ctx context.Context, ids []string) (reindexed int, err error) {
	records, err := l.records(ctx, ids)
	if err != nil && !errors.Is(err, order.ErrUnreadable) {
		return 0, err
	}
	for page := range slices.Chunk(records, maxBatch) {
		updates := make([]update, len(page))
		for i, rec := range page {
			updates[i] = update{id: rec.ID, other: customerKey(rec.Customer)}
		}
		answers, err := l.runScript(ctx, reindexScript, updates)
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
