package reconcile

import (
	"context"
	"errors"

	"orderprocessor/internal/order"
)

// Sweep looks for strays once, and puts them back into their queues. The attempt
// that a lost worker had begun ends, and an order that has lost too many workers
// fails.
func (r *Reconciler) Sweep(ctx context.Context) error {
	strays, err := r.Strays.Strays(ctx)
	if err != nil {
		return err
	}
	var back, givenUp int
	var suspects []order.Stray
	for _, s := range strays {
		loss, err := r.endAttempt(ctx, s)
		switch {
		case err != nil:
			return err
		case loss.Failed:
			givenUp++
		case loss.WorkersLost >= order.MaxWorkersLost-1:
			suspects = append(suspects, s)
			continue
		}
		if err := r.putBack(ctx, s, &back); err != nil {
			return err
		}
	}
	for _, s := range suspects[:share(len(suspects))] {
		if err := r.putBack(ctx, s, &back); err != nil {
			return err
		}
	}
	return errors.Join(r.repaired(ctx, order.RepairPutBack, back), r.repaired(ctx, order.RepairGivenUp, givenUp))
}

// share is how many of so many suspects are put back at once.
func share(suspects int) int { return min(suspects, max(1, suspects/suspectShare)) }

// endAttempt ends the attempt that is still open, and returns how often the order
// has lost its worker. An order that is settled has lost none: its place only has
// to go.
func (r *Reconciler) endAttempt(ctx context.Context, s order.Stray) (order.Loss, error) {
	rec, err := r.Ledger.Get(ctx, s.ID)
	if errors.Is(err, order.ErrNotFound) || errors.Is(err, order.ErrUnreadable) {
		return order.Loss{}, nil
	}
	if err != nil || rec.Status.Settled() {
		return order.Loss{}, err
	}
	last := len(rec.Attempts) - 1
	if last < 0 || !rec.Attempts[last].EndedAt.IsZero() {
		return order.Loss{WorkersLost: rec.WorkersLost}, nil
	}
	attempt := rec.Attempts[last]
	loss, err := r.Ledger.Lost(ctx, s.ID, attempt.Number)
	if loss.Failed {
		r.Log.Error("order failed, as it may be what ends its workers",
			"order_id", s.ID, "attempt", attempt.Number, "worker_id", attempt.Worker, "workers_lost", loss.WorkersLost)
	}
	return loss, err
}

// putBack gives the order to the next worker, and counts it.
func (r *Reconciler) putBack(ctx context.Context, s order.Stray, count *int) error {
	done, err := r.Strays.PutBack(ctx, s)
	if errors.Is(err, order.ErrDamaged) {
		return r.replace(ctx, s.Queue, s.ID)
	}
	if done {
		*count++
		r.Log.Warn("order was with a worker that is gone and waits in its queue again", "order_id", s.ID, "queue", s.Queue)
	}
	return err
}
