// Package reconcile repairs what a crash left behind, so that books and queues
// agree again.
//
// It receives the unsettled orders from the ledger and puts those without a task
// back into the queue. It owns a place in that list; nothing is durable after
// it that was not before. Every repair can be repeated, and several processes
// may reconcile at once.
package reconcile

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"orderprocessor/internal/order"
)

// Records reads orders; see the methods of ledger.Ledger.
type Records interface {
	Waiting(ctx context.Context, s order.Status, after, before time.Time, limit int) (
		records []order.Record, next time.Time, err error)
	Get(ctx context.Context, id string) (order.Record, error)
}

// Books counts repairs and drops what is too old; see the methods of
// ledger.Ledger.
type Books interface {
	Now(ctx context.Context) (time.Time, error)
	Requeued(ctx context.Context, id, token string) (counted bool, err error)
	Forget(ctx context.Context, cutoff time.Time, limit int) (int, error)
}

// Queue tells whether an order has a task, and gives it one; see the methods of
// queue.Producer.
type Queue interface {
	Holds(ctx context.Context, rec order.Record) (bool, error)
	Enqueue(ctx context.Context, rec order.Record) (added bool, err error)
}

const (
	// interval is how often the books are compared with the queues.
	interval = 10 * time.Second
	// minAge is how long an order may wait before its task is missed: the API
	// that accepted it may still be about to queue it.
	minAge = 30 * time.Second
	// page is how many orders are read at once.
	page = 200
	// pages bounds one round in each status: 2,000 orders, a fifth of a second
	// of work. The next round goes on from there, so a long queue is walked
	// again and again at a steady cost.
	pages = 10
	// forgetLimit bounds the orders dropped in one round in each status, at what
	// a fast machine settles meanwhile.
	forgetLimit = 100_000
	// tokenChars is the length of a repair's token: 80 random bits.
	tokenChars = 16
)

// Reconciler compares the books with the queues.
type Reconciler struct {
	records   Records
	books     Books
	queue     Queue
	retention time.Duration
	log       *slog.Logger

	after map[order.Status]time.Time // where the next round goes on, by time of acceptance
}

// New returns a reconciler that drops settled orders after the retention.
func New(r Records, b Books, q Queue, retention time.Duration, log *slog.Logger) *Reconciler {
	return &Reconciler{records: r, books: b, queue: q, retention: retention, log: log, after: map[order.Status]time.Time{}}
}

// Run reconciles every ten seconds until ctx ends. A round that fails is logged
// and tried again.
func (r *Reconciler) Run(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := r.reconcile(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("reconcile could not finish; trying again", "retry_in", interval, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (r *Reconciler) reconcile(ctx context.Context) error {
	now, err := r.books.Now(ctx)
	if err != nil {
		return err
	}
	return r.Round(ctx, now)
}

// Round does everything once, as of now by the clock of the books: it requeues
// unsettled orders that have no task, and forgets settled ones whose retention
// is over. Orders that cannot be read do not keep it from the others.
func (r *Reconciler) Round(ctx context.Context, now time.Time) error {
	var failed []error
	for _, s := range order.Statuses() {
		if s.Settled() {
			continue
		}
		err := r.requeue(ctx, s, now.Add(-minAge))
		if errors.Is(err, order.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		failed = append(failed, err)
	}
	gone, err := r.books.Forget(ctx, now.Add(-r.retention), forgetLimit)
	if gone > 0 {
		r.log.Info("forgot settled orders after their retention", "orders", gone, "retention", r.retention)
	}
	return errors.Join(append(failed, err)...)
}

// requeue walks on through the orders of one status that were accepted before a
// time, and starts over after the last.
func (r *Reconciler) requeue(ctx context.Context, s order.Status, before time.Time) error {
	var unreadable error
	for range pages {
		records, next, err := r.records.Waiting(ctx, s, r.after[s], before, page)
		if errors.Is(err, order.ErrUnavailable) {
			return err
		}
		unreadable = errors.Join(unreadable, err)
		for _, rec := range records {
			if err := r.assertTask(ctx, rec); err != nil {
				return errors.Join(unreadable, err)
			}
		}
		r.after[s] = next
		if next.IsZero() {
			break
		}
	}
	return unreadable
}

// assertTask gives the order a task unless it has one. Most orders without one
// have been settled since they were listed, so it looks at the record again.
func (r *Reconciler) assertTask(ctx context.Context, rec order.Record) error {
	if held, err := r.queue.Holds(ctx, rec); err != nil || held {
		return err
	}
	rec, err := r.records.Get(ctx, rec.ID)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil || rec.Status.Settled() {
		return err
	}
	if added, err := r.queue.Enqueue(ctx, rec); err != nil || !added {
		return err
	}
	counted, err := r.books.Requeued(ctx, rec.ID, rand.Text()[:tokenChars])
	if counted {
		r.log.Warn("order had no task and is queued again", "order_id", rec.ID, "status", rec.Status)
	}
	return err
}
