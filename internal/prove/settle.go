package prove

import (
	"context"
	"net/url"
	"sync"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

const (
	// pause is the time between two looks at the same thing.
	pause = 100 * time.Millisecond
	// finalReads and finalReadsEach bound the reads at the end.
	finalReads, finalReadsEach = 10 * time.Second, 50 * time.Millisecond
	// lateBy is how much after its time a scheduled order that was cancelled would have
	// begun.
	lateBy = 3 * time.Second
	// maxPage is how many orders a page of the list has.
	maxPage = 200
)

// called returns the orders that were called.
func (r *run) called() (all []*target) {
	for _, made := range r.targets {
		if t := made(); t.begun.Load() {
			all = append(all, t)
		}
	}
	return all
}

// each does something for each order that was called, for some at the same time.
func (r *run) each(do func(caller *history.Caller, t *target)) {
	targets := make(chan *target)
	var working sync.WaitGroup
	for n := range r.Clients {
		working.Go(func() {
			caller := r.caller(n + 1)
			for t := range targets {
				do(caller, t)
			}
		})
	}
	for _, t := range r.called() {
		targets <- t
	}
	close(targets)
	working.Wait()
}

// settle waits until each order has its outcome. It cancels those that are held.
func (r *run) settle(ctx context.Context) {
	if r.rights.read != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.Grace)
	defer cancel()
	for moving := true; moving && ctx.Err() == nil; {
		moving = false
		var mu sync.Mutex
		r.each(func(caller *history.Caller, t *target) {
			if ctx.Err() != nil || t.settled() {
				return
			}
			if r.read(ctx, caller, t); t.final.Status == order.StatusHeld && t.kind != byKey && r.rights.submit == nil {
				r.do(ctx, caller, t, history.Call{Op: history.Cancel, Order: t.name, ID: t.id}, nil)
			}
			mu.Lock()
			defer mu.Unlock()
			moving = moving || !t.settled()
		})
		if moving {
			_ = client.Wait(ctx, pause)
		}
	}
}

// settled reports whether nothing more is expected of the order.
func (t *target) settled() bool {
	return t.id == "" || t.final.Status.Settled() || t.final.Result == history.NotFound
}

// read reads an order.
func (r *run) read(ctx context.Context, caller *history.Caller, t *target) {
	t.final = r.do(ctx, caller, t, history.Call{Op: history.Get, Order: t.name, ID: t.id}, nil)
}

// readAll reads everything once more, when the time of each scheduled order has come.
func (r *run) readAll(ctx context.Context) {
	if r.rights.read != nil || ctx.Err() != nil {
		return
	}
	var due time.Time
	for _, t := range r.called() {
		if t.due.After(due) {
			due = t.due
		}
	}
	_ = client.Wait(ctx, time.Until(due.Add(lateBy)))
	ctx, cancel := context.WithTimeout(ctx, finalReads+finalReadsEach*time.Duration(r.Orders))
	defer cancel()
	r.each(func(caller *history.Caller, t *target) { r.readWhole(ctx, caller, t) })
	r.readWrongOrders(ctx)
	r.list(ctx)
	r.after = r.readBooks(ctx, int64(r.accepted()))
	r.last = ctx.Err() == nil
}

// readWhole reads an order and its timeline.
func (r *run) readWhole(ctx context.Context, caller *history.Caller, t *target) {
	if t.id == "" {
		return
	}
	r.known(ctx, func() bool {
		r.read(ctx, caller, t)
		return t.final.Result == history.Done || t.final.Result == history.NotFound || t.final.Result == history.Unexpected
	})
	if t.final.Result != history.Done {
		return
	}
	r.known(ctx, func() bool {
		timeline, err := r.API.Timeline(ctx, t.id)
		t.timeline, t.problem = timeline.Events, err
		return err == nil || !client.Temporary(err)
	})
}

// known asks until the answer is known. It reports whether it is.
func (r *run) known(ctx context.Context, ask func() bool) bool {
	for ctx.Err() == nil {
		if ask() {
			return true
		}
		_ = client.Wait(ctx, pause)
	}
	return false
}

// listing is the list of the orders of the customer of a run.
type listing struct {
	orders map[string][]client.Order
	err    error
	// incomplete means that the archive is away.
	incomplete, read bool
}

func (r *run) list(ctx context.Context) {
	r.known(ctx, func() bool {
		r.listed = listing{orders: map[string][]client.Order{}}
		pages := r.API.Orders(url.Values{"customer": {r.customer()}})
		for !pages.Done() {
			page, err := pages.Next(ctx, maxPage)
			if r.listed.err = err; err != nil {
				return !client.Temporary(err)
			}
			for _, o := range page {
				r.listed.orders[o.ID] = append(r.listed.orders[o.ID], o)
			}
		}
		r.listed.incomplete, r.listed.read = pages.Incomplete(), true
		return true
	})
}

// accepted counts the orders that are there.
func (r *run) accepted() (n int) {
	for _, t := range r.called() {
		if t.final.Result == history.Done {
			n++
		}
	}
	return n
}

// books is what the statistics say of the books.
type books struct {
	accepted, drift int64
	away            int
	err             error // why they are not known
	read            bool
}

// booksWithin bounds the wait for statistics that have all orders.
const booksWithin = 5 * time.Second

// readBooks reads the statistics until they balance and have so many orders more than
// before, or the time is up.
func (r *run) readBooks(ctx context.Context, more int64) (b books) {
	ctx, cancel := context.WithTimeout(ctx, booksWithin)
	defer cancel()
	r.known(ctx, func() bool {
		s, err := r.API.Stats(ctx)
		if err != nil {
			if !b.read {
				b.err = err
			}
			return !client.Temporary(err)
		}
		b = books{accepted: s.Ledger.Accepted, drift: s.Ledger.Drift, away: s.BooksAway(), read: true}
		return b.drift == 0 && b.away == 0 && b.accepted >= r.before.accepted+more
	})
	return b
}
