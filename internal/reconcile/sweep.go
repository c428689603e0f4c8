package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// Sweep looks for strays once, and puts them back into their queues. The attempt
// that a lost worker had begun ends. Of suspects, one at a time is put back, so
// that the next loss is known to be its own; then it fails. An order that cannot be
// helped does not keep it from the others.
func (r *Reconciler) Sweep(ctx context.Context) error {
	strays, err := r.Strays.Strays(ctx)
	if err != nil {
		return err
	}
	apart, err := r.Ledger.Apart(ctx)
	if err != nil {
		return err
	}
	s := sweep{Reconciler: r, apart: apart}
	begun := time.Now()
	// First the one that was tried apart: it is judged by what the others were.
	if i := slices.IndexFunc(strays, func(s order.Stray) bool { return s.ID == apart }); i > 0 {
		strays[0], strays[i] = strays[i], strays[0]
	}
	for _, stray := range strays {
		err := s.one(ctx, stray)
		if errors.Is(err, order.ErrUnavailable) {
			return errors.Join(err, s.count(ctx))
		}
		s.failed = append(s.failed, err)
		if time.Since(begun) > sweepBudget {
			break
		}
	}
	err = s.tryApart(ctx)
	return errors.Join(errors.Join(s.failed...), err, s.count(ctx))
}

// sweep is one of them.
type sweep struct {
	*Reconciler
	apart         string // the suspect that was tried apart when it began
	suspects      []order.Stray
	back, givenUp int
	failed        []error
}

func (s *sweep) count(ctx context.Context) error {
	return errors.Join(s.repaired(ctx, order.RepairPutBack, s.back), s.repaired(ctx, order.RepairGivenUp, s.givenUp))
}

// one ends the attempt at a stray and puts it back, or keeps it as a suspect.
func (s *sweep) one(ctx context.Context, stray order.Stray) error {
	loss, waited, err := s.endAttempt(ctx, stray)
	switch {
	case err != nil:
		return err
	case loss.Failed:
		s.givenUp++
	case loss.WorkersLost >= order.MaxWorkersLost-1 && waited < longestTurn:
		s.suspects = append(s.suspects, stray)
		return nil
	}
	return s.putBack(ctx, stray)
}

// endAttempt ends the attempt that is still open, and returns how often the order
// has lost its worker, and how long it has waited since. An order that is settled
// has lost none: its place only has to go.
func (s *sweep) endAttempt(ctx context.Context, stray order.Stray) (_ order.Loss, waited time.Duration, err error) {
	rec, err := s.Ledger.Get(ctx, stray.ID)
	if errors.Is(err, order.ErrNotFound) || errors.Is(err, order.ErrUnreadable) {
		return order.Loss{}, 0, nil
	}
	if err != nil || rec.Status.Settled() {
		return order.Loss{}, 0, err
	}
	attempt, open := openAttempt(rec)
	if !open {
		if n := len(rec.Attempts); n > 0 {
			waited = stray.SeenAt.Sub(rec.Attempts[n-1].EndedAt)
		}
		return order.Loss{WorkersLost: rec.WorkersLost}, waited, nil
	}
	lost := order.LostAttempt{Number: attempt.Number, SeenAt: stray.SeenAt}
	if stray.ID == s.apart {
		if lost.BesideSuspect, err = s.besideSuspect(ctx, stray.ID, attempt.Worker); err != nil {
			return order.Loss{}, 0, err
		}
	}
	loss, err := s.Ledger.Lost(ctx, stray.ID, lost)
	if loss.Failed {
		s.Log.ErrorContext(ctx, "order failed, as it may be what ends its workers",
			"order_id", stray.ID, "attempt", attempt.Number, "worker_id", attempt.Worker, "workers_lost", loss.WorkersLost)
	}
	return loss, 0, err
}

// besideSuspect says whether the lost worker held another suspect: a queue that
// was paused, or a turn that took too long, may have brought two together.
func (s *sweep) besideSuspect(ctx context.Context, id, worker string) (bool, error) {
	held, err := s.Strays.Held(ctx)
	if err != nil {
		return false, err
	}
	for _, other := range held {
		if other.ID == id {
			continue
		}
		rec, err := s.Ledger.Get(ctx, other.ID)
		if errors.Is(err, order.ErrUnavailable) {
			return false, err
		}
		if rec.WorkersLost >= order.MaxWorkersLost-1 && lostTo(rec, worker) {
			return true, nil
		}
	}
	return false, nil
}

// lostTo says whether the last attempt at the order was with the worker and has not
// ended otherwise than by its loss.
func lostTo(rec order.Record, worker string) bool {
	last := len(rec.Attempts) - 1
	if last < 0 || rec.Attempts[last].Worker != worker {
		return false
	}
	return rec.Attempts[last].EndedAt.IsZero() || rec.Attempts[last].Error == order.ReasonWorkerLost
}

// openAttempt returns the last attempt if it has not ended.
func openAttempt(rec order.Record) (order.Attempt, bool) {
	last := len(rec.Attempts) - 1
	if last < 0 || !rec.Attempts[last].EndedAt.IsZero() {
		return order.Attempt{}, false
	}
	return rec.Attempts[last], true
}

// tryApart puts one of the suspects back when the one before it is through, and
// keeps the others where they are.
func (s *sweep) tryApart(ctx context.Context) (err error) {
	apart := s.apart
	if apart != "" {
		if apart, err = s.stillApart(ctx, apart); err != nil {
			return err
		}
	}
	if apart == "" && len(s.suspects) > 0 {
		if apart, err = s.Ledger.SetApart(ctx, s.suspects[0].ID, apartTerm); err != nil {
			return err
		}
	}
	var failed []error
	for _, stray := range s.suspects {
		next := s.Strays.Withhold
		if stray.ID == apart {
			next = s.putBack
		}
		failed = append(failed, next(ctx, stray))
	}
	return errors.Join(failed...)
}

// stillApart returns the suspect if it is still being tried, and nothing when its
// attempt has ended. One that waits for a worker is given up after its term.
func (s *sweep) stillApart(ctx context.Context, id string) (apart string, err error) {
	rec, err := s.Ledger.Get(ctx, id)
	if err != nil && !errors.Is(err, order.ErrNotFound) && !errors.Is(err, order.ErrUnreadable) {
		return "", err
	}
	if _, open := openAttempt(rec); open {
		return s.Ledger.SetApart(ctx, id, apartTerm)
	}
	attempts := len(rec.Attempts)
	waits := err == nil && !rec.Status.Settled() && attempts > 0 &&
		rec.Attempts[attempts-1].Error == order.ReasonWorkerLost
	if waits {
		return id, nil
	}
	return "", s.Ledger.EndApart(ctx, id)
}

// putBack gives the order to the next worker, and counts it.
func (s *sweep) putBack(ctx context.Context, stray order.Stray) error {
	done, err := s.Strays.PutBack(ctx, stray)
	if errors.Is(err, order.ErrDamaged) {
		return s.replace(ctx, stray.Queue, stray.ID)
	}
	if done {
		s.back++
		s.Log.WarnContext(ctx, "order was with a worker that is gone and waits in its queue again", "order_id", stray.ID, "queue", stray.Queue)
	}
	return err
}
