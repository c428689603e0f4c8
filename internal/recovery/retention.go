package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// forgetLimit bounds the orders forgotten each second in each status. It is more than a
// fast machine settles in a second.
const forgetLimit = 10_000

// Forget drops settled orders and events whose retention has ended at now, a time of
// Redis.
func (r *Repairer) Forget(ctx context.Context, now time.Time) error {
	cutoff := now.Add(-r.Retention)
	forgotten, err := r.ledger.Forget(ctx, cutoff, forgetLimit)
	if forgotten > 0 {
		r.Log.DebugContext(ctx, "forgot settled orders after their retention",
			"orders", forgotten, "retention", r.Retention)
	}
	if errors.Is(err, order.ErrUnavailable) {
		return err
	}
	return errors.Join(err, r.ledger.ForgetEvents(ctx, cutoff))
}
