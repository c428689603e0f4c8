package ledger

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// forgetPage is how many records Forget reads and drops in one round trip.
const forgetPage = 200

// Forget drops the records and index entries of orders that were settled at or
// before the cutoff, at most limit of them or a page more, and returns how many
// are gone. The totals keep counting them. Repeating it is safe, and so are
// several at once.
func (l *Ledger) Forget(ctx context.Context, cutoff time.Time, limit int) (int, error) {
	gone := 0
	for _, s := range order.Statuses() {
		if !s.Settled() {
			continue
		}
		n, err := l.forgetStatus(ctx, s, cutoff, limit-gone)
		gone += n
		if err != nil || gone >= limit {
			return gone, err
		}
	}
	return gone, nil
}

// forgetStatus walks the index of one status, which is in the order of
// acceptance. What was accepted before the cutoff but settled after it stays,
// and is stepped over.
func (l *Ledger) forgetStatus(ctx context.Context, s order.Status, cutoff time.Time, limit int) (int, error) {
	gone, kept := 0, 0
	for gone < limit {
		ids, err := l.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: indexKey(s), ByScore: true, Start: "-inf", Stop: score(cutoff),
			Offset: int64(kept), Count: forgetPage,
		}).Result()
		if err != nil {
			return gone, wrap(err, "list %s orders", s)
		}
		n, err := l.forgetPage(ctx, ids, cutoff)
		gone, kept = gone+n, kept+len(ids)-n
		if err != nil || len(ids) < forgetPage {
			return gone, err
		}
	}
	return gone, nil
}

func (l *Ledger) forgetPage(ctx context.Context, ids []string, cutoff time.Time) (int, error) {
	records, err := l.records(ctx, ids)
	if err != nil {
		return 0, err
	}
	gone := 0
	for _, rec := range records {
		if rec.ProcessedAt.IsZero() || rec.ProcessedAt.After(cutoff) {
			continue
		}
		keys := append(changeKeys(rec.ID), customerKey(rec.Customer))
		n, err := forgetScript.Run(ctx, l.rdb, keys, rec.ID, maxEvents, cutoff.UnixMicro()).Int()
		if err != nil {
			return gone, wrap(err, "forget order %s", rec.ID)
		}
		gone += n
	}
	return gone, nil
}
