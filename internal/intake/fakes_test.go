package intake_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// fakeLedger is a ledger in memory that accepts each order once, or fails.
type fakeLedger struct {
	intake.Ledger // the methods that are not needed
	mu            sync.Mutex
	known         map[string]bool
	err           error
}

func (l *fakeLedger) AcceptAll(_ context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	if l.known == nil {
		l.known = map[string]bool{}
	}
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i] = order.Acceptance{
			Record: order.Record{Order: e.Order, Status: order.StatusPending, Queue: e.Queue}, IsNew: !l.known[e.ID],
		}
		l.known[e.ID] = true
	}
	return all, nil
}

// Get returns no record: this ledger remembers ids only.
func (*fakeLedger) Get(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

func (l *fakeLedger) Cancel(context.Context, string, order.Intervention) (order.Record, error) {
	return order.Record{}, l.err
}

func (l *fakeLedger) Retry(context.Context, string, string, order.Intervention) (order.Record, error) {
	return order.Record{}, l.err
}

// fakeQueue remembers which orders were enqueued. It cannot withdraw.
type fakeQueue struct {
	intake.Queue
	mu  sync.Mutex
	ids []string
}

func (q *fakeQueue) EnqueueAll(_ context.Context, waiting []order.Handover) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range waiting {
		q.ids = append(q.ids, h.Record.ID)
	}
	return nil
}

// listLedger is a ledger of orders in memory, newest first, that can be slow and can fail.
type listLedger struct {
	intake.Ledger  // the methods that are not needed
	orders         []order.Record
	retried        []string
	onList         func(n int) error
	onRetry        func(n int) error
	lists, retries int
}

// listOf returns n failed orders, whose errors are the reasons in turn.
func listOf(n int, reasons ...string) *listLedger {
	pass := func(int) error { return nil }
	l := &listLedger{onList: pass, onRetry: pass}
	for i := range n {
		l.orders = append(l.orders, order.Record{
			Order: order.Order{ID: fmt.Sprintf("o%d", i)}, Status: order.StatusFailed, Queue: order.QueueDefault,
			CreatedAt: time.UnixMicro(int64(2_000_000 - i)).UTC(), Error: reasons[i%len(reasons)],
		})
	}
	return l
}

func (l *listLedger) List(
	_ context.Context, f order.Filter, after order.Position, limit int,
) (page []order.Record, next order.Position, err error) {
	l.lists++
	if err := l.onList(l.lists); err != nil {
		return nil, order.Position{}, err
	}
	for _, rec := range l.orders {
		passed := !after.IsZero() && !rec.CreatedAt.Before(after.CreatedAt)
		if passed || rec.Status != f.Status {
			continue
		}
		if len(page) == limit {
			return page, positionOf(page[limit-1]), nil
		}
		page = append(page, rec)
	}
	return page, order.Position{}, nil
}

func (l *listLedger) Retry(_ context.Context, id, token string, _ order.Intervention) (order.Record, error) {
	l.retries++
	if err := l.onRetry(l.retries); err != nil {
		return order.Record{}, err
	}
	i, err := strconv.Atoi(strings.TrimPrefix(id, "o"))
	if err != nil {
		return order.Record{}, err
	}
	if rec := &l.orders[i]; rec.Status != order.StatusFailed || token == "" {
		return order.Record{}, fmt.Errorf("retry order %s: %w", id, &order.StatusError{Status: rec.Status})
	}
	l.orders[i].Status = order.StatusPending
	l.retried = append(l.retried, id)
	return l.orders[i], nil
}

func positionOf(rec order.Record) order.Position {
	return order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID}
}

// position returns where to continue after n orders, the start for none.
func (l *listLedger) position(n int) order.Position {
	if n == 0 {
		return order.Position{}
	}
	return positionOf(l.orders[n-1])
}
