package ledger

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// forgetPage is how many orders Forget reads, and then drops, at a time.
	forgetPage = 200
	// forgetKept is how many orders Forget skips in one status because they were
	// accepted before the cutoff and settled after it. Orders behind more of them wait
	// for a later call.
	forgetKept = 2000
)

// Forget drops the records and index entries of orders that were settled at or before
// the cutoff, a time by the clock of Redis: in each settled status at most limit, or a
// page more. It returns how many it dropped. The totals keep counting them. Forget may
// be repeated and run concurrently.
func (l *Ledger) Forget(ctx context.Context, cutoff time.Time, limit int) (int, error) {
	gone := 0
	var failed []error
	for _, s := range order.Statuses() {
		if !s.Settled() {
			continue
		}
		n, err := l.forgetStatus(ctx, s, cutoff, limit)
		gone += n
		failed = append(failed, err)
	}
	return gone, errors.Join(failed...)
}

// ForgetEvents drops the events from before the cutoff. Redis drops whole nodes of the
// stream, so some events stay a little longer. Repeating it is safe.
func (l *Ledger) ForgetEvents(ctx context.Context, cutoff time.Time) error {
	oldest := strconv.FormatInt(cutoff.UnixMilli(), 10)
	return wrap(l.rdb.XTrimMinIDApprox(ctx, eventsKey, oldest, 0).Err(), "forget events")
}

// forgetStatus walks the index of one status, which is in the order of
// acceptance.
func (l *Ledger) forgetStatus(ctx context.Context, s order.Status, cutoff time.Time, limit int) (int, error) {
	gone, kept := 0, 0
	var unreadable error
	for gone < limit && kept < forgetKept {
		ids, err := l.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: indexKey(s), ByScore: true, Start: "-inf", Stop: score(cutoff),
			Offset: int64(kept), Count: forgetPage,
		}).Result()
		if err != nil {
			return gone, wrap(err, "list %s orders", s)
		}
		n, err := l.forgetOrders(ctx, ids, cutoff)
		gone, kept = gone+n, kept+len(ids)-n
		if errors.Is(err, order.ErrUnavailable) || len(ids) < forgetPage {
			return gone, errors.Join(unreadable, err)
		}
		unreadable = errors.Join(unreadable, err)
	}
	return gone, unreadable
}

// forgetOrders drops those of the orders that are due and can be read.
func (l *Ledger) forgetOrders(ctx context.Context, ids []string, cutoff time.Time) (int, error) {
	records, unreadable := l.records(ctx, ids)
	var due []update
	for _, rec := range records {
		if !rec.ProcessedAt.IsZero() && !rec.ProcessedAt.After(cutoff) {
			due = append(due, update{id: rec.ID, other: customerKey(rec.Customer), args: []any{cutoff.UnixMicro()}})
		}
	}
	gone := 0
	for page := range slices.Chunk(due, maxBatch) {
		answers, err := runScript(ctx, l.rdb, forgetScript, page)
		if err != nil {
			return gone, errors.Join(unreadable, wrap(err, "forget %d orders", len(page)))
		}
		for i, a := range answers {
			switch a.word {
			case "gone":
				gone++
			case "error":
				unreadable = errors.Join(unreadable, wrap(replied(a.rest), "forget order %s", page[i].id))
			}
		}
	}
	return gone, unreadable
}
