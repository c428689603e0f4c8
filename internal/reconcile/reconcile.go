// Package reconcile repairs what a crash left behind, so that books and queues
// agree again.
//
// It receives the unsettled orders from the ledger, and from the queue the places
// that nobody works any more. Orders without a place are queued again, places
// without an order are removed, and orders whose worker is gone go back to their
// queue. It owns a place in these walks; nothing is durable after it that was not
// before. One process does it at a time. Every repair can be repeated and looks
// again before it changes anything, so a second one for a moment does no harm.
package reconcile

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

// Records reads orders; see the methods of ledger.Ledger.
type Records interface {
	Waiting(ctx context.Context, s order.Status, after, before time.Time, limit int) (
		records []order.Record, next time.Time, err error)
	Get(ctx context.Context, id string) (order.Record, error)
}

// Books takes down what becomes of orders; see the methods of ledger.Ledger.
type Books interface {
	Now(ctx context.Context) (time.Time, error)
	Lost(ctx context.Context, id string, lost order.LostAttempt) (order.Loss, error)
}

// Suspects knows the one that is tried apart; see the methods of ledger.Ledger.
type Suspects interface {
	Apart(ctx context.Context) (id string, err error)
	SetApart(ctx context.Context, id string, term time.Duration) (apart string, err error)
	EndApart(ctx context.Context, id string) error
}

// Archive drops what is too old; see the methods of ledger.Ledger.
type Archive interface {
	Forget(ctx context.Context, cutoff time.Time, limit int) (int, error)
	ForgetEvents(ctx context.Context, cutoff time.Time) error
}

// Balance makes indexes and gauges anew when they do not balance; see
// ledger.Ledger.Balance.
type Balance interface {
	Balance(ctx context.Context) (drift int64, reindexed int, err error)
}

// Tally counts repairs, and says who makes them; see the methods of ledger.Ledger.
type Tally interface {
	Lead(ctx context.Context, name string, term time.Duration) (bool, error)
	Requeued(ctx context.Context, id, token string) (counted bool, err error)
	Repaired(ctx context.Context, kind order.Repair, n int, token string) error
}

// Ledger is the books, the records in them, and the tally of repairs.
type Ledger interface {
	Records
	Books
	Suspects
	Archive
	Balance
	Tally
}

// Queue tells whether an order has a place in its queue, and gives it one; see
// the methods of queue.Producer.
type Queue interface {
	Holds(ctx context.Context, rec order.Record) (bool, error)
	Enqueue(ctx context.Context, rec order.Record) (added bool, err error)
}

// Strays finds the orders whose worker is gone; see the methods of queue.Sweeper.
type Strays interface {
	Strays(ctx context.Context) ([]order.Stray, error)
	PutBack(ctx context.Context, s order.Stray) (bool, error)
}

// Suspended are the strays that wait for their turn, and what else is held; see the
// methods of queue.Sweeper.
type Suspended interface {
	Held(ctx context.Context) ([]order.Stray, error)
	Withhold(ctx context.Context, s order.Stray) error
}

// Deliveries is what workers hold or held.
type Deliveries interface {
	Strays
	Suspended
}

// Places are what the queues hold beside orders that wait or are worked; see the
// methods of queue.Sweeper.
type Places interface {
	SetAside(ctx context.Context, q order.Queue, id string) (bool, error)
	Parked(ctx context.Context) (found []order.Parked, done bool, err error)
	Remove(ctx context.Context, p order.Parked) (bool, error)
}

const (
	// sweepInterval is how often strays are looked for, and settled orders
	// forgotten.
	sweepInterval = time.Second
	// interval is how often the books are compared with the queues.
	interval = 10 * time.Second
	// term is how long a process leads without asking again: a killed leader is
	// followed by another one after so long, before what it saw is forgotten.
	term = 2 * time.Second
	// sweepBudget bounds one sweep, within the term. The next one goes on.
	sweepBudget = 1500 * time.Millisecond
	// minAge is how long an order may wait before its task is missed: the API
	// that accepted it may still be about to queue it.
	minAge = 30 * time.Second
	// page is how many orders are read at once.
	page = 200
	// pages bounds one round in each status, and among the parked places: 2,000
	// orders, a fifth of a second of work. The next round goes on from there, so a
	// long queue is walked again and again at a steady cost.
	pages = 10
	// forgetLimit bounds the orders dropped each second in each status, at what a
	// fast machine settles meanwhile.
	forgetLimit = 10_000
	// apartTerm is how long a suspect may wait for its worker before another one is
	// tried: its queue may be paused. While it is worked, the term begins anew.
	apartTerm = 5 * time.Minute
	// longestTurn is how long a suspect waits for its turn before it is put back
	// beside others: no order shall wait for two minutes because its worker was lost.
	longestTurn = 90 * time.Second
	// tokenChars is the length of a repair's token: 80 random bits.
	tokenChars = 16
)

// Config is what a reconciler needs to know.
type Config struct {
	// Name tells this process from all others.
	Name string
	// Retention is how long settled orders are kept.
	Retention time.Duration
	// Log receives a line for each repair.
	Log *slog.Logger
}

// Parts are what the reconciler works on.
type Parts struct {
	Ledger Ledger
	Queue  Queue
	Strays Deliveries
	Places Places
}

// Reconciler compares the books with the queues.
type Reconciler struct {
	Config
	Parts
	leads atomic.Bool
	after map[order.Status]time.Time // where the next round goes on, by time of acceptance
}

// New returns a reconciler.
func New(cfg Config, p Parts) *Reconciler {
	return &Reconciler{Config: cfg, Parts: p, after: map[order.Status]time.Time{}}
}

// Run reconciles until ctx ends, while no other process does: it sweeps up strays
// and forgets settled orders every second, and makes a round every ten. What
// fails is logged and tried again. It may be called once.
func (r *Reconciler) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { r.every(ctx, sweepInterval, r.lead) })
	running.Go(func() { r.every(ctx, sweepInterval, r.forget) })
	running.Go(func() { r.every(ctx, interval, r.round) })
	running.Wait()
	return nil
}

// every does something again and again. When it fails, that is logged once in a
// while.
func (r *Reconciler) every(ctx context.Context, pause time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var logged time.Time
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil && time.Since(logged) >= interval {
			logged = time.Now()
			r.Log.WarnContext(ctx, "reconcile could not finish; trying again", "retry_in", pause, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lead sweeps if this is the process that reconciles.
func (r *Reconciler) lead(ctx context.Context) error {
	leads, err := r.Ledger.Lead(ctx, r.Name, term)
	r.leads.Store(leads && err == nil)
	if err != nil || !leads {
		return err
	}
	return r.Sweep(ctx)
}

func (r *Reconciler) forget(ctx context.Context) error {
	if !r.leads.Load() {
		return nil
	}
	now, err := r.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	return r.Forget(ctx, now)
}

func (r *Reconciler) round(ctx context.Context) error {
	if !r.leads.Load() {
		return nil
	}
	now, err := r.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	return r.Round(ctx, now)
}

// Forget drops settled orders and events whose retention is over, as of now by
// the clock of the books.
func (r *Reconciler) Forget(ctx context.Context, now time.Time) error {
	cutoff := now.Add(-r.Retention)
	gone, err := r.Ledger.Forget(ctx, cutoff, forgetLimit)
	if gone > 0 {
		r.Log.DebugContext(ctx, "forgot settled orders after their retention", "orders", gone, "retention", r.Retention)
	}
	if errors.Is(err, order.ErrUnavailable) {
		return err
	}
	return errors.Join(err, r.Ledger.ForgetEvents(ctx, cutoff))
}

// repaired counts repairs. A crash or an error before it loses the count, never
// the repair.
func (r *Reconciler) repaired(ctx context.Context, kind order.Repair, n int) error {
	if n == 0 {
		return nil
	}
	return r.Ledger.Repaired(ctx, kind, n, token())
}

func token() string { return rand.Text()[:tokenChars] }
