package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

const (
	// maxExamined is how many orders List examines for one page: a few milliseconds of
	// Redis.
	maxExamined = 2000
	// fullPageBytes is the size from which on a page is full.
	fullPageBytes = 4 << 20
)

// List returns a page of the orders that match, newest first, starting after a
// position: at most limit of them, those of one book of one moment. Next is the position to continue
// after, zero when there are no more; even an empty page may have a next one. The cost
// of a page does not depend on how many orders there are. Times of acceptance have
// microseconds. When some records cannot be read, List returns order.ErrUnreadable
// together with the others.
func (l *Ledger) List(
	ctx context.Context, f order.Filter, after order.Position, limit int,
) (records []order.Record, next order.Position, err error) {
	return pageOf(l.books, limit,
		func(b *Book) ([]order.Record, order.Position, error) { return b.list(ctx, f, after, limit) },
		func(rec order.Record) order.Position { return order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID} })
}

func (b *Book) list(
	ctx context.Context, f order.Filter, after order.Position, limit int,
) (records []order.Record, next order.Position, err error) {
	keys, want := b.indexesOf(f)
	entries, next, err := b.page(ctx, f, keys, string(want), after, limit)
	if err != nil {
		return nil, order.Position{}, err
	}
	records, err = parsePage(entries)
	return records, next, err
}

// Walk returns a page of the orders in any of some statuses that a filter selects by
// customer and time of acceptance, with their timelines, as List does. Without statuses it
// returns those of the filter's customer.
func (l *Ledger) Walk(ctx context.Context, f order.Filter, in []order.Status, after order.Position, limit int) (
	histories []order.History, next order.Position, err error,
) {
	return pageOf(l.books, limit,
		func(b *Book) ([]order.History, order.Position, error) { return b.walk(ctx, f, in, after, limit) },
		func(h order.History) order.Position {
			return order.Position{CreatedAt: h.Record.CreatedAt, ID: h.Record.ID}
		})
}

func (b *Book) walk(ctx context.Context, f order.Filter, in []order.Status, after order.Position, limit int) (
	histories []order.History, next order.Position, err error,
) {
	keys := make([]string, len(in))
	for i, s := range in {
		keys[i] = b.keys.index(s)
	}
	if f.Customer != "" {
		keys = []string{b.keys.customer(f.Customer)}
	}
	entries, next, err := b.page(ctx, f, keys, "", after, limit)
	if err != nil {
		return nil, order.Position{}, err
	}
	var unreadable []error
	for _, e := range entries {
		h, err := parseHistory(e.id, e.fields)
		switch {
		case err == nil:
			histories = append(histories, h)
		case len(unreadable) < maxUnreadable:
			unreadable = append(unreadable, err)
		}
	}
	return histories, next, errors.Join(unreadable...)
}

// page reads one page of orders from indexes that together have each of them once.
func (b *Book) page(
	ctx context.Context, f order.Filter, keys []string, want string, after order.Position, limit int,
) (page []pageEntry, next order.Position, err error) {
	newest, before := "+inf", ""
	if !f.CreatedTo.IsZero() {
		newest = score(roundUp(f.CreatedTo).Add(-time.Microsecond))
	}
	if !after.IsZero() && (f.CreatedTo.IsZero() || after.CreatedAt.Before(f.CreatedTo)) {
		newest, before = score(after.CreatedAt), after.ID
	}
	answer, err := listScript.Run(ctx, b.rdb, keys,
		b.keys.records, newest, score(roundUp(f.CreatedFrom)), before, want, limit, maxExamined, fullPageBytes).Slice()
	if err != nil {
		return nil, order.Position{}, wrap(err, "list orders")
	}
	if len(answer) != 3 {
		return nil, order.Position{}, fmt.Errorf("list orders: script answered %v", answer)
	}
	entries, _ := answer[2].([]any)
	at, _ := answer[0].(string)
	id, _ := answer[1].(string)
	page, err = readPage(entries)
	return page, order.Position{CreatedAt: parseTime(at), ID: id}, err
}

// roundUp rounds a time up to the next microsecond.
func roundUp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Microsecond - time.Nanosecond).Truncate(time.Microsecond)
}

// indexesOf returns the indexes to read, and the status that remains to be filtered by.
func (b *Book) indexesOf(f order.Filter) (keys []string, want order.Status) {
	switch {
	case f.Customer != "":
		return []string{b.keys.customer(f.Customer)}, f.Status
	case f.Status != "":
		return []string{b.keys.index(f.Status)}, ""
	}
	for _, s := range order.Statuses() {
		keys = append(keys, b.keys.index(s))
	}
	return keys, ""
}

// pageEntry is an order of a page, with the fields of its record.
type pageEntry struct {
	id     string
	fields map[string]string
}

func readPage(entries []any) ([]pageEntry, error) {
	page := make([]pageEntry, len(entries))
	for i, entry := range entries {
		parts, _ := entry.([]any)
		if len(parts) != 2 {
			return nil, fmt.Errorf("list orders: script answered %v for one of %d", entry, len(entries))
		}
		page[i].id, _ = parts[0].(string)
		var err error
		if page[i].fields, err = pairs(parts[1:]); err != nil {
			return nil, fmt.Errorf("list orders: %w", err)
		}
	}
	return page, nil
}

func parsePage(page []pageEntry) ([]order.Record, error) {
	found := gathering{records: make([]order.Record, 0, len(page))}
	for _, e := range page {
		found.add(e.id, e.fields)
	}
	return found.records, errors.Join(found.unreadable...)
}
