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
func (b *Book) Forget(ctx context.Context, cutoff time.Time, limit int) (int, error) {
	gone := 0
	var failed []error
	for _, s := range order.Statuses() {
		if !s.Settled() {
			continue
		}
		n, err := b.forgetStatus(ctx, s, cutoff, limit)
		gone += n
		failed = append(failed, err)
	}
	return gone, errors.Join(failed...)
}

// ForgetEvents drops the events from before the cutoff. Redis drops whole nodes of the
// stream, so some events stay a little longer. Repeating it is safe.
func (b *Book) ForgetEvents(ctx context.Context, cutoff time.Time) error {
	oldest := strconv.FormatInt(cutoff.UnixMilli(), 10)
	return wrap(b.rdb.XTrimMinIDApprox(ctx, b.keys.events, oldest, 0).Err(), "forget events")
}

// forgetStatus walks the index of one status, which is in the order of
// acceptance.
func (b *Book) forgetStatus(ctx context.Context, s order.Status, cutoff time.Time, limit int) (int, error) {
	gone, kept := 0, 0
	var unreadable error
	for gone < limit && kept < forgetKept {
		ids, err := b.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: b.keys.index(s), ByScore: true, Start: "-inf", Stop: score(cutoff),
			Offset: int64(kept), Count: forgetPage,
		}).Result()
		if err != nil {
			return gone, wrap(err, "list %s orders", s)
		}
		n, err := b.forgetOrders(ctx, ids, cutoff)
		gone, kept = gone+n, kept+len(ids)-n
		if errors.Is(err, order.ErrUnavailable) || len(ids) < forgetPage {
			return gone, errors.Join(unreadable, err)
		}
		unreadable = errors.Join(unreadable, err)
	}
	return gone, unreadable
}

// forgetOrders drops those of the orders that are due and can be read.
func (b *Book) forgetOrders(ctx context.Context, ids []string, cutoff time.Time) (int, error) {
	settled, unreadable := b.settledBefore(ctx, ids, cutoff)
	settled, err := b.inArchive(ctx, settled)
	if err != nil {
		return 0, errors.Join(unreadable, err)
	}
	due := make([]update, len(settled))
	for i, h := range settled {
		due[i] = update{id: h.Record.ID, other: b.keys.customer(h.Record.Customer), args: []any{
			cutoff.UnixMicro(), idDigest(h.Record.ID), int64(b.idTerm.Seconds()),
		}}
	}
	gone := 0
	for page := range slices.Chunk(due, maxBatch) {
		answers, err := b.runScript(ctx, forgetScript, page)
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

// settledBefore returns those of the orders that were settled by the cutoff, without their
// timelines. When some cannot be read, it returns order.ErrUnreadable together with the
// others.
func (b *Book) settledBefore(ctx context.Context, ids []string, cutoff time.Time) ([]order.History, error) {
	reads, err := b.readRecords(ctx, ids)
	if err != nil {
		return nil, wrap(err, "read %d orders", len(ids))
	}
	var found gathering
	var settled []order.History
	for i, read := range reads {
		if len(read.Val()) == 0 {
			continue
		}
		n := len(found.records)
		found.add(ids[i], read.Val())
		for _, rec := range found.records[n:] {
			if !rec.ProcessedAt.IsZero() && !rec.ProcessedAt.After(cutoff) {
				settled = append(settled, order.History{Record: rec, Sequence: sequenceOf(read.Val())})
			}
		}
	}
	return settled, errors.Join(found.unreadable...)
}

// inArchive returns those of the histories that the archive has, and marks the others, as
// when an older copy of it was put in its place. Without an archive it returns all.
func (b *Book) inArchive(ctx context.Context, histories []order.History) ([]order.History, error) {
	if b.archive == nil || len(histories) == 0 {
		return histories, nil
	}
	missing, err := b.archive.Missing(ctx, histories)
	if err != nil || len(missing) == 0 {
		return histories, err
	}
	lacking := make(map[string]bool, len(missing))
	marks := redis.ZAddArgs{NX: true}
	for _, h := range missing {
		lacking[h.Record.ID] = true
		marks.Members = append(marks.Members, redis.Z{Score: float64(h.Record.ProcessedAt.UnixMicro()), Member: h.Record.ID})
	}
	if err := b.rdb.ZAddArgs(ctx, b.keys.marks, marks).Err(); err != nil {
		return nil, wrap(err, "mark %d orders for the archive", len(missing))
	}
	return slices.DeleteFunc(histories, func(h order.History) bool { return lacking[h.Record.ID] }), nil
}
