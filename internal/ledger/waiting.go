package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Waiting returns the records in one status that were accepted from `from` on
// and before `before`, oldest first, at most limit of them. Orders that move on
// meanwhile may be missing or shown in their newer status.
func (l *Ledger) Waiting(
	ctx context.Context, s order.Status, from, before time.Time, limit int,
) ([]order.Record, error) {
	ids, err := l.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: indexKey(s), ByScore: true, Count: int64(limit),
		Start: score(from), Stop: "(" + score(before),
	}).Result()
	if err != nil {
		return nil, wrap(err, "list %s orders", s)
	}
	return l.records(ctx, ids)
}

func score(t time.Time) string {
	if t.IsZero() {
		return "-inf"
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// records reads many records in one round trip, leaving out what is gone.
func (l *Ledger) records(ctx context.Context, ids []string) ([]order.Record, error) {
	pipe := l.rdb.Pipeline()
	reads := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		reads[i] = pipe.HGetAll(ctx, recordKey(id))
	}
	if len(ids) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, wrap(err, "read %d orders", len(ids))
		}
	}
	records := make([]order.Record, 0, len(ids))
	for _, read := range reads {
		if len(read.Val()) == 0 {
			continue
		}
		rec, err := parseRecord(read.Val())
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	return records, nil
}
