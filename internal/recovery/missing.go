package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

const (
	// minAge is how long ago an order must have been accepted before its task counts as
	// missing: the API that accepted the order may still be about to enqueue it.
	minAge = 30 * time.Second
	// pageSize is how many orders are read at once.
	pageSize = 200
	// maxPages bounds one walk through the orders of a status, and one through the delayed
	// tasks: 2,000 orders, a fifth of a second of work. The next walk continues from there.
	maxPages = 10
)

// RepairTasks compares the ledger with the queues once, at now, a time of Redis. It
// rebuilds indexes that do not match the records, enqueues unsettled orders whose task
// is missing, and removes stale tasks. An order that cannot be read does not stop the
// others; it returns order.ErrUnavailable as soon as Redis does not answer.
func (r *Repairer) RepairTasks(ctx context.Context, now time.Time) error {
	// Indexes first: the walks below do not find an order that is in no index.
	if err := r.reindex(ctx); err != nil {
		return err
	}
	var failed []error
	for _, s := range order.Statuses() {
		if s.Settled() || s == order.StatusHeld { // they have no task
			continue
		}
		err := r.repairMissing(ctx, s, now.Add(-minAge))
		if errors.Is(err, order.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		failed = append(failed, err)
	}
	return errors.Join(append(failed, r.removeStale(ctx, now))...)
}

// repairMissing walks through the orders of one status that were accepted before a time.
// It continues where the last walk ended, and starts over after the last order.
func (r *Repairer) repairMissing(ctx context.Context, s order.Status, before time.Time) error {
	var unreadable error
	for range maxPages {
		records, next, err := r.ledger.Waiting(ctx, s, r.after[s], before, pageSize)
		if errors.Is(err, order.ErrUnavailable) {
			return err
		}
		unreadable = errors.Join(unreadable, err)
		for _, rec := range records {
			held, err := r.hasTask(ctx, rec)
			if err == nil && !held {
				err = r.enqueueMissing(ctx, rec.ID)
			}
			if err != nil {
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

// enqueueMissing enqueues the order unless it is held, settled or forgotten. It reads the
// record again, as most orders without a task were settled since they were listed.
func (r *Repairer) enqueueMissing(ctx context.Context, id string) error {
	rec, err := r.ledger.Get(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil || rec.Status.Settled() || rec.Status == order.StatusHeld {
		return err
	}
	if added, err := r.queue.Enqueue(ctx, rec); err != nil || !added {
		return err
	}
	counted, err := r.ledger.Requeued(ctx, id, token())
	if counted {
		r.Log.WarnContext(ctx, "the task of an order was missing and has been enqueued again", "order_id", id, "status", rec.Status)
	}
	return err
}
