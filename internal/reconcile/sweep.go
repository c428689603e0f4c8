package reconcile

import (
	"context"
	"errors"

	"orderprocessor/internal/order"
)

// Sweep looks for strays once, and puts them back into their queues. The attempt
// that a lost worker had begun ends. Of suspects, one at a time is put back, so
// that the next loss is known to be its own; then it fails.
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
	if err := r.tryApart(ctx, suspects, &back); err != nil {
		return err
	}
	return errors.Join(r.repaired(ctx, order.RepairPutBack, back), r.repaired(ctx, order.RepairGivenUp, givenUp))
}

// tryApart puts one of the suspects back when the one before it is through.
func (r *Reconciler) tryApart(ctx context.Context, suspects []order.Stray, back *int) error {
	apart, err := r.Ledger.Apart(ctx)
	if err != nil {
		return err
	}
	if apart != "" {
		if apart, err = r.endApart(ctx, apart); err != nil {
			return err
		}
	}
	if apart == "" && len(suspects) > 0 {
		if apart, err = r.Ledger.SetApart(ctx, suspects[0].ID, apartTerm); err != nil {
			return err
		}
	}
	for _, s := range suspects {
		if s.ID == apart {
			return r.putBack(ctx, s, back)
		}
	}
	return nil
}

// endApart returns the suspect if it is still being tried, and nothing when its
// attempt has ended. One that waits for a worker is given up after its term.
func (r *Reconciler) endApart(ctx context.Context, id string) (apart string, err error) {
	rec, err := r.Ledger.Get(ctx, id)
	if err != nil && !errors.Is(err, order.ErrNotFound) && !errors.Is(err, order.ErrUnreadable) {
		return "", err
	}
	attempts := len(rec.Attempts)
	switch {
	case err != nil, rec.Status.Settled(), attempts == 0:
		return "", r.Ledger.EndApart(ctx)
	case rec.Attempts[attempts-1].EndedAt.IsZero():
		return r.Ledger.SetApart(ctx, id, apartTerm)
	case rec.Attempts[attempts-1].Error == order.ReasonWorkerLost:
		return id, nil
	default:
		return "", r.Ledger.EndApart(ctx)
	}
}

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
