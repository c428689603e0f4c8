package recovery

import (
	"context"
	"errors"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// A poison order kills every worker that takes it. It must fail after
// order.MaxWorkersLost workers, and the orders that ran with it must not. An order that
// has lost all but one of these workers is a poison candidate. Candidates are retried
// one at a time, in quarantine: a candidate fails only if it loses a worker there. The
// ledger names the one that is in quarantine.

const (
	// quarantineTerm is how long a candidate may wait in quarantine for a worker: its
	// queue may be paused. It starts again while the candidate is worked.
	quarantineTerm = 5 * time.Minute
	// longestWait is how long a candidate waits for its quarantine. Then it is requeued
	// without one, as no order may wait two minutes for the loss of a worker.
	longestWait = 90 * time.Second
)

// isCandidate reports whether an order that has lost so many workers is a poison
// candidate.
func isCandidate(workersLost int) bool { return workersLost >= order.MaxWorkersLost-1 }

// judgeQuarantined returns the order in quarantine, empty without one. If it is among
// the orphans, it ends the order's open attempt, and the order fails if no other
// candidate was with the same worker. It must run before the attempts of the other
// orphans end: their losses may make them candidates.
func (r *Repairer) judgeQuarantined(ctx context.Context, orphans []Orphan) (quarantined string, err error) {
	quarantined, err = r.ledger.Quarantined(ctx)
	if err != nil || quarantined == "" {
		return "", err
	}
	i := slices.IndexFunc(orphans, func(o Orphan) bool { return o.ID == quarantined })
	if i < 0 {
		return quarantined, nil
	}
	rec, err := r.ledger.Get(ctx, quarantined)
	last, open := lastAttempt(rec)
	if err != nil || !open {
		return quarantined, ignoreUnknown(err)
	}
	lost := order.LostAttempt{Number: last.Number, SeenAt: orphans[i].SeenAt}
	if lost.WithCandidate, err = r.hadOtherCandidate(ctx, last.Worker, quarantined); err != nil {
		return quarantined, err
	}
	loss, err := r.ledger.Lost(ctx, quarantined, lost)
	if err != nil || !loss.Failed {
		return quarantined, err
	}
	r.Log.ErrorContext(ctx, "order failed because it kills its workers",
		"order_id", quarantined, "attempt", last.Number, "worker_id", last.Worker, "workers_lost", loss.WorkersLost)
	return quarantined, r.repaired(ctx, order.RepairPoisonOrder, 1)
}

// hadOtherCandidate reports whether the lost worker held a candidate besides the
// quarantined one. A paused queue or a long wait can bring two candidates together.
func (r *Repairer) hadOtherCandidate(ctx context.Context, worker, quarantined string) (bool, error) {
	active, err := r.tasks.Active(ctx)
	if err != nil {
		return false, err
	}
	for _, t := range active {
		if t.ID == quarantined {
			continue
		}
		rec, err := r.ledger.Get(ctx, t.ID)
		if errors.Is(err, order.ErrUnavailable) {
			return false, err
		}
		last, open := lastAttempt(rec)
		if isCandidate(rec.WorkersLost) && last.Worker == worker && (open || last.Error == order.ReasonWorkerLost) {
			return true, nil
		}
	}
	return false, nil
}

// quarantineNext requeues one of the candidates if no order is in quarantine any more.
// The others stay active without a lease, so that Asynq does not requeue them.
func (r *Repairer) quarantineNext(ctx context.Context, quarantined string, p *pass) error {
	quarantined, err := r.renewQuarantine(ctx, quarantined)
	if err != nil {
		return err
	}
	if quarantined == "" && len(p.candidates) > 0 {
		if quarantined, err = r.ledger.Quarantine(ctx, p.candidates[0].ID, quarantineTerm); err != nil {
			return err
		}
	}
	var failed []error
	for _, c := range p.candidates {
		if c.ID == quarantined {
			failed = append(failed, r.requeue(ctx, c, p))
			continue
		}
		failed = append(failed, r.tasks.DropLease(ctx, c))
	}
	return errors.Join(failed...)
}

// renewQuarantine returns the order while it is in quarantine, and empty once its
// attempt has ended otherwise than by the loss of its worker. An order that waits for a
// worker stays until its term ends.
func (r *Repairer) renewQuarantine(ctx context.Context, id string) (quarantined string, err error) {
	if id == "" {
		return "", nil
	}
	rec, err := r.ledger.Get(ctx, id)
	if ignoreUnknown(err) != nil {
		return "", err
	}
	switch last, open := lastAttempt(rec); {
	case open:
		return r.ledger.Quarantine(ctx, id, quarantineTerm)
	case err == nil && !rec.Status.Settled() && last.Error == order.ReasonWorkerLost:
		return id, nil
	default:
		return "", r.ledger.EndQuarantine(ctx, id)
	}
}

// ignoreUnknown drops the error of a record that is not there or cannot be read.
func ignoreUnknown(err error) error {
	if errors.Is(err, order.ErrNotFound) || errors.Is(err, order.ErrUnreadable) {
		return nil
	}
	return err
}
