package intake

import (
	"context"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// Release makes a held order pending and enqueues it. An order that was released before,
// and not retried since, stays as it is. Release returns *order.StatusError for any other
// order, order.ErrNotFound, and order.ErrUnavailable when Redis did not answer; repeating
// it is safe.
func (in *Intake) Release(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	rec, err := in.ledger.Release(ctx, id, by)
	if err != nil || rec.Status != order.StatusPending {
		return rec, err
	}
	waiting := []order.Handover{{Record: rec, Trace: traces.ContextOf(ctx), NewRun: true}}
	if err := in.queue.EnqueueAll(ctx, waiting); err != nil {
		in.warnNotQueued(ctx, waiting, err)
	}
	return rec, nil
}

// Reject settles a held order as rejected. An order that was rejected so before stays as
// it is. Reject returns *order.StatusError for any other order, order.ErrNotFound, and
// order.ErrUnavailable when Redis did not answer; repeating it is safe.
func (in *Intake) Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return in.ledger.Reject(ctx, id, by)
}
