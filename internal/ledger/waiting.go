package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Waiting returns the records in one status that were accepted after one time and
// before another, oldest first, at most limit of them. Next is the time to continue
// after, zero when there are no more. An order whose status changes meanwhile may be
// missing or have its newer status. When some records cannot be read, Waiting returns
// order.ErrUnreadable together with the others.
func (b *Book) Waiting(
	ctx context.Context, s order.Status, after, before time.Time, limit int,
) (records []order.Record, next time.Time, err error) {
	found, err := b.rdb.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
		Key: b.keys.index(s), ByScore: true, Count: int64(limit),
		Start: "(" + score(after), Stop: "(" + score(before),
	}).Result()
	if err != nil {
		return nil, time.Time{}, wrap(err, "list %s orders", s)
	}
	ids := make([]string, len(found))
	for i, z := range found {
		ids[i], _ = z.Member.(string)
	}
	if len(found) == limit {
		next = time.UnixMicro(int64(found[limit-1].Score)).UTC()
	}
	records, err = b.records(ctx, ids)
	return records, next, err
}

func score(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return microseconds(t)
}

// records reads many records in one round trip and omits those that are gone. When some
// cannot be read, it returns order.ErrUnreadable together with the others.
func (b *Book) records(ctx context.Context, ids []string) ([]order.Record, error) {
	reads, err := b.readRecords(ctx, ids)
	if err != nil {
		return nil, wrap(err, "read %d orders", len(ids))
	}
	found := gathering{records: make([]order.Record, 0, len(ids))}
	for i, read := range reads {
		if len(read.Val()) > 0 {
			found.add(ids[i], read.Val())
		}
	}
	return found.records, errors.Join(found.unreadable...)
}
