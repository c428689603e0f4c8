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
// has expired at now, a time of Redis. One that cannot be read does not stop the others.
func (r *Repairer) EndExpiredHolds(ctx context.Context, now time.Time) error {
	ids, err := r.ledger.Expired(ctx, now, expiryLimit)
	var failed []error
	for _, id := range ids {
		if err := r.endHold(ctx, id); errors.Is(err, order.ErrUnavailable) {
			return err
		} else if err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(append(failed, err)...)
}

// endHold ends the hold of an order, unless somebody has done so.
func (r *Repairer) endHold(ctx context.Context, id string) error {
	rec, err := r.ledger.Get(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
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
		return nil
	case err != nil:
		return err
	}
	r.Log.InfoContext(ctx, "hold expired", "order_id", id, "status", rec.Status)
	if rec.Status != order.StatusPending {
		return nil
	}
	_, err = r.queue.Enqueue(ctx, rec)
	return err
}
