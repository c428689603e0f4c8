package reconcile

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// Round makes the books balance, and compares them with the queues once, as of now by
// the clock of the books: it queues unsettled orders that have no place in their queue, and removes places
// whose order is settled or forgotten. Orders that cannot be read do not keep it
// from the others.
func (r *Reconciler) Round(ctx context.Context, now time.Time) error {
	if err := r.balance(ctx); err != nil {
		return err
	}
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
	return errors.Join(append(failed, r.tidy(ctx, now))...)
}

// balance comes first: an order in no index is found by nobody else.
func (r *Reconciler) balance(ctx context.Context) error {
	drift, reindexed, err := r.Ledger.Balance(ctx)
	if err != nil || drift == 0 {
		return err
	}
	r.Log.ErrorContext(ctx, "the books did not balance; indexes and gauges were made anew from the records",
		"drift", drift, "orders", reindexed)
	return r.repaired(ctx, order.RepairReindexed, max(reindexed, 1))
}

// requeue walks on through the orders of one status that were accepted before a
// time, and starts over after the last.
func (r *Reconciler) requeue(ctx context.Context, s order.Status, before time.Time) error {
	var unreadable error
	for range pages {
		records, next, err := r.Ledger.Waiting(ctx, s, r.after[s], before, page)
		if errors.Is(err, order.ErrUnavailable) {
			return err
		}
		unreadable = errors.Join(unreadable, err)
		for _, rec := range records {
			if err := r.assertPlace(ctx, rec); err != nil {
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

// assertPlace gives the order a place in its queue unless it has one. Most orders
// without one have been settled since they were listed, so it looks at the record
// again.
func (r *Reconciler) assertPlace(ctx context.Context, rec order.Record) error {
	held, err := r.Queue.Holds(ctx, rec)
	if errors.Is(err, order.ErrDamaged) {
		return r.replace(ctx, rec.Queue, rec.ID)
	}
	if err != nil || held {
		return err
	}
	return r.queueAgain(ctx, rec.ID)
}

// replace sets a place aside that cannot be read, and gives its order a new one.
func (r *Reconciler) replace(ctx context.Context, q order.Queue, id string) error {
	found, err := r.Places.SetAside(ctx, q, id)
	if err != nil {
		return err
	}
	if found {
		r.Log.ErrorContext(ctx, "the place of an order in its queue could not be read and is set aside", "order_id", id, "queue", q)
		if err := r.repaired(ctx, order.RepairSetAside, 1); err != nil {
			return err
		}
	}
	return r.queueAgain(ctx, id)
}

// queueAgain queues an order that is not settled.
func (r *Reconciler) queueAgain(ctx context.Context, id string) error {
	rec, err := r.Ledger.Get(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil || rec.Status.Settled() {
		return err
	}
	if added, err := r.Queue.Enqueue(ctx, rec); err != nil || !added {
		return err
	}
	counted, err := r.Ledger.Requeued(ctx, id, token())
	if counted {
		r.Log.WarnContext(ctx, "order had no place in its queue and is queued again", "order_id", id, "status", rec.Status)
	}
	return err
}

// tidy walks on through the parked places and removes those that belong to no
// order which waits there.
func (r *Reconciler) tidy(ctx context.Context, now time.Time) error {
	removed := 0
	for range pages {
		found, done, err := r.Places.Parked(ctx)
		if err != nil {
			return err
		}
		for _, p := range found {
			gone, err := r.tidyPlace(ctx, p, now)
			if err != nil {
				return err
			}
			if gone {
				removed++
			}
		}
		if done {
			break
		}
	}
	if removed > 0 {
		r.Log.WarnContext(ctx, "removed places in queues whose orders are settled or forgotten", "places", removed)
	}
	return r.repaired(ctx, order.RepairRemoved, removed)
}

// assertReadable replaces a place that no worker could read. Asynq moves nothing on
// in a queue where such a place is due, so it does not wait for assertPlace.
func (r *Reconciler) assertReadable(ctx context.Context, rec order.Record) error {
	_, err := r.Queue.Holds(ctx, rec)
	if errors.Is(err, order.ErrDamaged) {
		return r.replace(ctx, rec.Queue, rec.ID)
	}
	return err
}

// tidyPlace removes a place unless its order waits there. An archived one stays
// for operators to see, as long as its order is known or might just have been.
func (r *Reconciler) tidyPlace(ctx context.Context, p order.Parked, now time.Time) (bool, error) {
	rec, err := r.Ledger.Get(ctx, p.ID)
	unknown := errors.Is(err, order.ErrNotFound)
	switch {
	case errors.Is(err, order.ErrUnreadable):
		return false, nil
	case err != nil && !unknown:
		return false, err
	case !p.ArchivedAt.IsZero() && (!unknown || now.Sub(p.ArchivedAt) < r.Retention):
		return false, nil
	case !unknown && !rec.Status.Settled() && rec.Queue == p.Queue:
		return false, r.assertReadable(ctx, rec)
	default:
		return r.Places.Remove(ctx, p)
	}
}
