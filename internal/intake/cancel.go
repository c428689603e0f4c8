package intake

import (
	"context"

	"orderprocessor/internal/order"
)

// Cancel withdraws an order that is scheduled, pending, held or retrying, and returns its
// record. An order that was cancelled before keeps its first reason. Cancel returns
// *order.StatusError when it is too late, order.ErrNotFound, and order.ErrUnavailable
// when Redis did not answer; repeating it is safe.
func (in *Intake) Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	rec, err := in.ledger.Cancel(ctx, id, by)
	if err != nil {
		return order.Record{}, err
	}
	if err := in.queue.Withdraw(ctx, rec); err != nil {
		in.log.WarnContext(ctx, "order is cancelled but its task is still queued; a worker will drop it", "order_id", id, "error", err)
	}
	return rec, nil
}
