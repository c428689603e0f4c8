package ledger

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// totalsTimeout bounds reading the totals of one of several books: as statistics are wanted
// while it is away, it must not cost the time of those who wait for the others.
const totalsTimeout = 500 * time.Millisecond

// lastTotals are the totals that a book was last known to have, and whether it did not answer
// since.
type lastTotals struct {
	stats.Totals
	missed bool
}

// Totals reads all counters, and the sizes of the unsettled statuses' indexes, those of one
// book of one moment. Its cost does not depend on how many orders there are. A book that does
// not answer counts as it did last, and as away the second time. Totals returns
// order.ErrUnavailable when none answers.
func (l *Ledger) Totals(ctx context.Context) (stats.Totals, error) {
	if len(l.books) == 1 {
		return l.first().Totals(ctx)
	}
	errs, away := make([]error, len(l.books)), make([]bool, len(l.books))
	parts, _ := each(l.books, func(b *Book) (t stats.Totals, _ error) {
		t, away[b.number], errs[b.number] = l.totalsOf(ctx, b)
		return t, nil
	})
	if !slices.Contains(errs, nil) {
		return stats.Totals{}, errs[0]
	}
	all := newTotals()
	for n, part := range parts {
		all.Add(part)
		all.Books = append(all.Books, stats.BookTotals{Accepted: part.Accepted, Unsettled: part.Unsettled(), Drift: part.Drift(), Away: away[n]})
	}
	return all, nil
}

// totalsOf returns the totals of one of several books, or with an error its last ones, and
// whether it is away.
func (l *Ledger) totalsOf(ctx context.Context, b *Book) (t stats.Totals, away bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, totalsTimeout)
	defer cancel()
	last := &l.totals[b.number]
	if t, err = b.Totals(ctx); err == nil {
		last.Store(&lastTotals{t, false})
		return t, false, nil
	}
	before := last.Load()
	if before == nil {
		return stats.Totals{}, true, err
	}
	last.Store(&lastTotals{before.Totals, true})
	return before.Totals, before.missed, err
}

// Totals are those of the book.
func (b *Book) Totals(ctx context.Context) (stats.Totals, error) {
	open := unsettled()
	keys := make([]string, 1, 1+len(open))
	keys[0] = b.keys.counters
	for _, s := range open {
		keys = append(keys, b.keys.index(s))
	}
	answer, err := totalsScript.Run(ctx, b.rdb, keys).Slice()
	if err != nil {
		return stats.Totals{}, wrap(err, "read totals")
	}
	if len(answer) != 3 {
		return stats.Totals{}, fmt.Errorf("read totals: script answered %v", answer)
	}
	counters, err := pairs(answer[1:2])
	if err != nil {
		return stats.Totals{}, fmt.Errorf("read totals: %w", err)
	}
	t := newTotals()
	at, _ := answer[0].(string)
	t.At = parseTime(at)
	sizes, _ := answer[2].([]any)
	for i, s := range open {
		t.Indexed[s], _ = sizes[i].(int64)
	}
	for name, value := range counters {
		count(&t, name, value)
	}
	return t, nil
}

func unsettled() []order.Status {
	var open []order.Status
	for _, s := range order.Statuses() {
		if !s.Settled() {
			open = append(open, s)
		}
	}
	return open
}

func newTotals() stats.Totals {
	return stats.Totals{
		ByStatus:    map[order.Status]int64{},
		RetriedFrom: map[order.Status]int64{},
		Repairs:     map[order.Repair]int64{},
		Indexed:     map[order.Status]int64{},
		QueueWait:   map[order.Queue]stats.Histogram{},
		Processing:  map[order.Queue]stats.Histogram{},
		EndToEnd:    map[order.Queue]stats.Histogram{},
	}
}

// count adds one counter to the totals. The names are
//
//	accepted, attempts, requeued, retried  totals
//	r:<kind>                               other repairs
//	g:<status>                             orders in a status
//	y:<status>                             retries of orders in a status
//	l:<measure>:<queue>:<bucket>           observations of a duration
//	t:<measure>:<queue>                    sum of these durations, µs
//
// where a measure is queue_wait, processing or end_to_end. Names of newer versions are
// ignored.
func count(t *stats.Totals, name, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return
	}
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "accepted":
		t.Accepted = n
	case "attempts":
		t.Attempts = n
	case "requeued":
		t.Requeued = n
		t.Repairs[order.RepairMissingTask] = n
	case "retried":
		t.Retried = n
	case "r":
		t.Repairs[order.Repair(rest)] = n
	case "g":
		t.ByStatus[order.Status(rest)] = n
	case "y":
		t.RetriedFrom[order.Status(rest)] = n
	case "l", "t":
		countDuration(t, rest, n)
	}
}

func countDuration(t *stats.Totals, name string, n int64) {
	part := strings.Split(name, ":")
	byMeasure := map[string]map[order.Queue]stats.Histogram{
		"queue_wait": t.QueueWait, "processing": t.Processing, "end_to_end": t.EndToEnd,
	}
	byQueue, ok := byMeasure[part[0]]
	if !ok || len(part) < 2 {
		return
	}
	q := order.Queue(part[1])
	h := byQueue[q]
	if len(part) == 2 {
		h.Sum = time.Duration(n) * time.Microsecond
	} else if i, err := strconv.Atoi(part[2]); err == nil && i >= 0 && i < stats.Buckets {
		h.Counts[i] = n
	}
	byQueue[q] = h
}
