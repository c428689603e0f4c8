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
	"log/slog"
	"time"

	"orderprocessor/internal/order"
)

// Ledger lists and counts; see the methods of ledger.Ledger.
type Ledger interface {
	Waiting(ctx context.Context, s order.Status, after, before time.Time, limit int) (
		records []order.Record, next time.Time, err error)
	Requeued(ctx context.Context, id, token string) error
	Forget(ctx context.Context, cutoff time.Time, limit int) (int, error)
}

// Queue gives an order its task; see queue.Producer.Enqueue.
type Queue interface {
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
	// forgetLimit bounds the orders dropped in one round.
	forgetLimit = 20_000
	// tokenChars is the length of a repair's token: 80 random bits.
	tokenChars = 16
)

// Reconciler compares the books with the queues.
type Reconciler struct {
	ledger    Ledger
	queue     Queue
	retention time.Duration
	log       *slog.Logger

	after map[order.Status]time.Time // where the next round goes on, by time of acceptance
}

// New returns a reconciler that drops settled orders after the retention.
func New(l Ledger, q Queue, retention time.Duration, log *slog.Logger) *Reconciler {
	return &Reconciler{ledger: l, queue: q, retention: retention, log: log, after: map[order.Status]time.Time{}}
}

// Run reconciles every ten seconds until ctx ends. A round that fails is logged
// and tried again.
func (r *Reconciler) Run(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := r.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			r.log.Warn("reconcile could not finish; trying again", "retry_in", interval, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Round does everything once, as of now: it requeues unsettled orders that have
// no task, and forgets settled ones whose retention is over.
func (r *Reconciler) Round(ctx context.Context, now time.Time) error {
	for _, s := range order.Statuses() {
		if !queued(s) {
			continue
		}
		if err := r.requeue(ctx, s, now.Add(-minAge)); err != nil {
			return err
		}
	}
	gone, err := r.ledger.Forget(ctx, now.Add(-r.retention), forgetLimit)
	if gone > 0 {
		r.log.Info("forgot settled orders after their retention", "orders", gone, "retention", r.retention)
	}
	return err
}

// requeue walks on through the orders of one status that were accepted before a
// time, and starts over after the last.
func (r *Reconciler) requeue(ctx context.Context, s order.Status, before time.Time) error {
	for range pages {
		records, next, err := r.ledger.Waiting(ctx, s, r.after[s], before, page)
		if err != nil {
			return err
		}
		for _, rec := range records {
			if err := r.assertTask(ctx, rec); err != nil {
				return err
			}
		}
		r.after[s] = next
		if next.IsZero() {
			return nil
		}
	}
	return nil
}

// assertTask gives the order a task unless it has one, or has moved on since it
// was listed.
func (r *Reconciler) assertTask(ctx context.Context, rec order.Record) error {
	if !queued(rec.Status) {
		return nil
	}
	added, err := r.queue.Enqueue(ctx, rec)
	if err != nil || !added {
		return err
	}
	r.log.Warn("order had no task and is queued again", "order_id", rec.ID, "status", rec.Status)
	return r.ledger.Requeued(ctx, rec.ID, rand.Text()[:tokenChars])
}

// queued says whether an order with this status must have a task: it waits for
// an attempt, or one is running and its task is acknowledged last.
func queued(s order.Status) bool { return !s.Settled() && s != order.StatusScheduled }
