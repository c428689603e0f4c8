package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

const (
	// archiveAfter is how long after a change an order that is not settled is due for the
	// archive.
	archiveAfter = 10 * time.Second
	// postponed is when an order is due again that could not be archived.
	postponed = time.Minute
	// markedPage is how many orders MarkAll marks at a time.
	markedPage = 500
	// MaxDue is how many orders Due returns at most.
	MaxDue = 500
)

// Archive tells which histories it lacks; see archive.Archive. It returns
// order.ErrUnavailable when it does not answer.
type Archive interface {
	Missing(ctx context.Context, histories []order.History) ([]order.History, error)
}

// Due returns the histories of orders that are due for the archive, in each book those that
// are due for longest first, at most limit of them and MaxDue; with several books up to one
// more of each, so that a limit is reached. Of orders that are gone it removes the mark. Orders that cannot be read are due again after a minute; if there are
// some, Due returns order.ErrUnreadable together with the others, and order.ErrUnavailable
// if a book is away.
func (l *Ledger) Due(ctx context.Context, limit int) ([]order.History, error) {
	share := (min(limit, MaxDue) + len(l.books) - 1) / len(l.books)
	parts, err := each(l.books, func(b *Book) ([]order.History, error) { return b.due(ctx, share) })
	return slices.Concat(parts...), err
}

func (b *Book) due(ctx context.Context, limit int) ([]order.History, error) {
	now, err := b.Now(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := b.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: b.keys.marks, ByScore: true, Start: "-inf", Stop: score(now), Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, wrap(err, "list the orders for the archive")
	}
	reads, err := b.readRecords(ctx, ids)
	if err != nil {
		return nil, wrap(err, "read %d orders", len(ids))
	}
	found := make([]order.History, 0, len(ids))
	var gone, bad []string
	var unreadable []error
	for i, read := range reads {
		if len(read.Val()) == 0 {
			gone = append(gone, ids[i])
			continue
		}
		h, err := parseHistory(ids[i], read.Val())
		if err == nil {
			found = append(found, h)
			continue
		}
		bad, unreadable = append(bad, ids[i]), append(unreadable, err)
	}
	if err := b.postpone(ctx, bad); err != nil {
		return nil, err
	}
	if err := b.unmark(ctx, gone); err != nil {
		return nil, err
	}
	return found, errors.Join(unreadable[:min(len(unreadable), maxUnreadable)]...)
}

// Postpone makes orders due again after a minute, those that are still marked. It may be
// repeated.
func (l *Ledger) Postpone(ctx context.Context, ids []string) error {
	parts := l.divide(len(ids), func(i int) string { return ids[i] })
	_, err := each(l.books, func(b *Book) (struct{}, error) {
		own := make([]string, 0, len(parts[b.number]))
		for _, i := range parts[b.number] {
			own = append(own, ids[i])
		}
		return struct{}{}, b.postpone(ctx, own)
	})
	return err
}

func (b *Book) postpone(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	now, err := b.Now(ctx)
	if err != nil {
		return err
	}
	marks := make([]redis.Z, len(ids))
	for i, id := range ids {
		marks[i] = redis.Z{Score: float64(now.Add(postponed).UnixMicro()), Member: id}
	}
	return wrap(b.rdb.ZAddXX(ctx, b.keys.marks, marks...).Err(), "postpone %d orders", len(ids))
}

// parseHistory reads a record's hash with its timeline.
func parseHistory(id string, fields map[string]string) (order.History, error) {
	rec, err := parseRecord(id, fields)
	if err != nil {
		return order.History{}, err
	}
	return order.History{Record: rec, Events: parseTimeline(id, fields), Sequence: sequenceOf(fields)}, nil
}

func sequenceOf(fields map[string]string) int {
	n, _ := strconv.Atoi(fields[fieldSequence])
	return n
}

// unmark removes the marks of orders that have no record.
func (b *Book) unmark(ctx context.Context, gone []string) error {
	if len(gone) == 0 {
		return nil
	}
	keys, args := b.archivedArgs(order.ArchiveState{}, len(gone))
	for _, id := range gone {
		keys, args = append(keys, b.keys.record(id)), append(args, id, "")
	}
	return wrap(archivedScript.Run(ctx, b.rdb, keys, args...).Err(), "unmark %d orders that are gone", len(gone))
}

// Archived records that the archive has confirmed these histories in one batch, up to
// MaxDue of them, and its state after that. Orders that have not changed since are no
// longer due. Without histories it records the state alone. All orders are to be marked
// by MarkAll, as Archived then reports, when the archive is another one than last time, or
// an older copy of it. Archived may be repeated. A book that is away does not matter unless
// it has some of the histories.
func (l *Ledger) Archived(ctx context.Context, histories []order.History, state order.ArchiveState) (markAll bool, err error) {
	parts := l.divide(len(histories), func(i int) string { return histories[i].Record.ID })
	answers, err := each(l.books, func(b *Book) (bool, error) {
		own := make([]order.History, 0, len(parts[b.number]))
		for _, i := range parts[b.number] {
			own = append(own, histories[i])
		}
		walk, err := b.archived(ctx, own, state)
		if err != nil && len(own) == 0 && len(l.books) > 1 {
			return false, nil
		}
		return walk, err
	})
	return slices.Contains(answers, true), err
}

func (b *Book) archived(ctx context.Context, histories []order.History, state order.ArchiveState) (markAll bool, err error) {
	keys, args := b.archivedArgs(state, len(histories))
	for _, h := range histories {
		keys, args = append(keys, b.keys.record(h.Record.ID)), append(args, h.Record.ID, h.Sequence)
	}
	walk, err := archivedScript.Run(ctx, b.rdb, keys, args...).Int()
	return walk == 1, wrap(err, "record that %d orders are archived", len(histories))
}

// archivedArgs begins the keys and arguments of archived.lua for n orders.
func (b *Book) archivedArgs(state order.ArchiveState, n int) (keys []string, args []any) {
	keys, args = make([]string, 0, 2+n), make([]any, 0, 4+2*n)
	keys = append(keys, b.keys.marks, b.keys.confirmed)
	return keys, append(args, state.ID, state.Puts, rand.Text(), archiveAfter.Microseconds())
}

// MarkAll marks a page of all orders for the archive, in case all of them are to be
// marked, and reports whether there are more. It goes on where the last call of any
// process ended.
func (l *Ledger) MarkAll(ctx context.Context) (more bool, err error) {
	answers, err := each(l.books, func(b *Book) (bool, error) { return b.markAll(ctx) })
	return slices.Contains(answers, true), err
}

func (b *Book) markAll(ctx context.Context) (more bool, err error) {
	keys := []string{b.keys.marks, b.keys.confirmed}
	for _, s := range order.Statuses() {
		keys = append(keys, b.keys.index(s))
	}
	n, err := markAllScript.Run(ctx, b.rdb, keys, markedPage).Int()
	return n == 1, wrap(err, "mark all orders for the archive")
}

// ArchiveBacklog returns what the archive lacks. Its cost does not depend on how many
// orders that is. It is zero without an archive. It returns order.ErrUnavailable when one of
// the books did not answer.
func (l *Ledger) ArchiveBacklog(ctx context.Context) (stats.ArchiveBacklog, error) {
	parts, err := each(l.books, func(b *Book) (stats.ArchiveBacklog, error) { return b.archiveBacklog(ctx) })
	if err != nil {
		return stats.ArchiveBacklog{}, err
	}
	all := parts[0]
	for _, part := range parts[1:] {
		all.Orders += part.Orders
		all.Behind = max(all.Behind, part.Behind)
		if part.Until.Before(all.Until) {
			all.Until = part.Until
		}
	}
	return all, nil
}

func (b *Book) archiveBacklog(ctx context.Context) (stats.ArchiveBacklog, error) {
	if b.archive == nil {
		return stats.ArchiveBacklog{}, nil
	}
	keys := []string{b.keys.marks, b.keys.confirmed}
	for _, s := range order.Statuses() {
		if s.Settled() {
			keys = append(keys, b.keys.index(s))
		}
	}
	answer, err := backlogScript.Run(ctx, b.rdb, keys).Slice()
	if err != nil {
		return stats.ArchiveBacklog{}, wrap(err, "read what the archive lacks")
	}
	if len(answer) != 4 {
		return stats.ArchiveBacklog{}, fmt.Errorf("read what the archive lacks: script answered %v", answer)
	}
	var backlog stats.ArchiveBacklog
	backlog.Orders, _ = answer[1].(int64)
	var times [4]time.Time
	for i, text := range answer {
		us, _ := text.(string)
		times[i] = parseTime(us)
	}
	backlog.Until = times[0]
	for _, at := range times[2:] {
		if !at.IsZero() && at.Before(backlog.Until) {
			backlog.Until = at
		}
	}
	backlog.Behind = times[0].Sub(backlog.Until)
	return backlog, nil
}

// ArchivedUntil returns the time up to which the archive has every change of settled
// orders, by the clock of Redis. It is now, or a little before, unless the archive is
// behind.
func (l *Ledger) ArchivedUntil(ctx context.Context) (time.Time, error) {
	backlog, err := l.ArchiveBacklog(ctx)
	return backlog.Until, err
}
