package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// expiryLimit bounds the holds that are ended each second.
const expiryLimit = 1000

// EndExpiredHolds releases or rejects, as their rules want it, the held orders whose hold
// has expired at now, a time of Redis. One that cannot be read does not stop the others:
// those that remain are skipped by the next call, until one has reached the last.
func (r *Repairer) EndExpiredHolds(ctx context.Context, now time.Time) error {
	skipped := r.skipped.Load()
	ids, err := r.ledger.Expired(ctx, now, int(skipped), expiryLimit)
	if err != nil {
		return err
	}
	var failed []error
	remain := int64(0)
	for _, id := range ids {
		ended, err := r.endHold(ctx, id)
		if errors.Is(err, order.ErrUnavailable) {
			return err
		}
		if err != nil {
			failed = append(failed, err)
		}
		if !ended {
			remain++
		}
	}
	if len(ids) < expiryLimit {
		r.skipped.Store(0)
	} else {
		r.skipped.Store(skipped + remain)
	}
	return errors.Join(failed...)
}

// endHold ends the hold of an order, unless somebody has done so, and reports whether it
// did.
func (r *Repairer) endHold(ctx context.Context, id string) (ended bool, err error) {
	rec, err := r.ledger.Get(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		return false, nil
	}
	if err != nil || rec.Status != order.StatusHeld {
		return false, err
	}
	by := order.Intervention{Actor: order.ActorExpiry, Reason: order.ReasonHoldExpired, IfExpired: true}
	if rec.Decision != nil && rec.Decision.Hold.Release {
		rec, err = r.ledger.Release(ctx, id, by)
	} else {
		rec, err = r.ledger.Reject(ctx, id, by)
	}
	var moved *order.StatusError
	switch {
	case errors.As(err, &moved), errors.Is(err, order.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	r.Log.InfoContext(ctx, "hold expired", "order_id", id, "status", rec.Status)
	if rec.Status != order.StatusPending {
		return true, nil
	}
	_, err = r.queue.Enqueue(ctx, rec)
	return true, err
}
