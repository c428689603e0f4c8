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
// position: at most limit of them, all of one moment. Next is the position to continue
// after, zero when there are no more; even an empty page may have a next one. The cost
// of a page does not depend on how many orders there are. Times of acceptance have
// microseconds. When some records cannot be read, List returns order.ErrUnreadable
// together with the others.
func (l *Ledger) List(
	ctx context.Context, f order.Filter, after order.Position, limit int,
) (records []order.Record, next order.Position, err error) {
	keys, want := indexesOf(f)
	newest, before := "+inf", ""
	if !f.CreatedTo.IsZero() {
		newest = score(roundUp(f.CreatedTo).Add(-time.Microsecond))
	}
	if !after.IsZero() && (f.CreatedTo.IsZero() || after.CreatedAt.Before(f.CreatedTo)) {
		newest, before = score(after.CreatedAt), after.ID
	}
	answer, err := listScript.Run(ctx, l.rdb, keys,
		recordPrefix, newest, score(roundUp(f.CreatedFrom)), before, string(want), limit, maxExamined, fullPageBytes).Slice()
	if err != nil {
		return nil, order.Position{}, wrap(err, "list orders")
	}
	if len(answer) != 3 {
		return nil, order.Position{}, fmt.Errorf("list orders: script answered %v", answer)
	}
	page, _ := answer[2].([]any)
	records, err = parsePage(page)
	at, _ := answer[0].(string)
	id, _ := answer[1].(string)
	return records, order.Position{CreatedAt: parseTime(at), ID: id}, err
}

// roundUp rounds a time up to the next microsecond.
func roundUp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Microsecond - time.Nanosecond).Truncate(time.Microsecond)
}

// indexesOf returns the indexes to read, and the status that remains to be filtered by.
func indexesOf(f order.Filter) (keys []string, want order.Status) {
	switch {
	case f.Customer != "":
		return []string{customerKey(f.Customer)}, f.Status
	case f.Status != "":
		return []string{indexKey(f.Status)}, ""
	}
	for _, s := range order.Statuses() {
		keys = append(keys, indexKey(s))
	}
	return keys, ""
}

func parsePage(page []any) ([]order.Record, error) {
	found := gathering{records: make([]order.Record, 0, len(page))}
	for _, entry := range page {
		parts, _ := entry.([]any)
		if len(parts) != 2 {
			return nil, fmt.Errorf("list orders: script answered %v for one of %d", entry, len(page))
		}
		id, _ := parts[0].(string)
		fields, err := pairs(parts[1:])
		if err != nil {
			return nil, fmt.Errorf("list orders: %w", err)
		}
		found.add(id, fields)
	}
	return found.records, errors.Join(found.unreadable...)
}
