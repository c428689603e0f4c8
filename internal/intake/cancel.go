package intake

import (
	"context"

	"orderprocessor/internal/order"
)

// Cancel withdraws an order that is scheduled, pending or retrying, and returns
// its record; for one that was cancelled before, the record it has. It returns
// *order.StatusError when it is too late, order.ErrNotFound, and
// order.ErrUnavailable when Redis could not be asked; repeating it is safe.
func (in *Intake) Cancel(ctx context.Context, id, reason string) (order.Record, error) {
	rec, err := in.ledger.Cancel(ctx, id, reason)
	if err != nil {
		return order.Record{}, err
	}
	if err := in.queue.Withdraw(ctx, rec); err != nil {
		in.log.WarnContext(ctx, "order is cancelled but its task is still queued; a worker will drop it", "order_id", id, "error", err)
	}
	return rec, nil
}
