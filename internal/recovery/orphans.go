package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// orphansBudget bounds one pass over the orphans, so that it ends within the leader's
// term. The next pass continues.
const orphansBudget = 1500 * time.Millisecond

// ActiveTask is a task that a worker took off its queue and has not acknowledged.
type ActiveTask struct {
	ID    string      // the order's
	Queue order.Queue // that the task was fetched from
	Lease string      // as Redis holds it, in seconds since 1970; empty without one
}

// Counts is how many tasks there are.
type Counts struct {
	Active  int64 // that workers hold, orphans among them
	Delayed int64 // see DelayedTask, archived ones among them
}

// Orphan is an active task whose worker is gone. It stops being an orphan once its lease
// has changed.
type Orphan struct {
	ActiveTask
	SeenAt time.Time // when the worker was found to be gone, by the clock of Redis
}

// pass is the result of one pass over the orphans.
type pass struct {
	candidates []Orphan // poison candidates that wait for their quarantine
	requeued   int
}

// RequeueOrphans finds the orders whose worker is gone, ends the attempts that were
// open, and puts the orders in front of their queues. Poison candidates wait for their
// quarantine instead. An error on one order does not stop the others, unless it is
// order.ErrUnavailable.
func (r *Repairer) RequeueOrphans(ctx context.Context, now time.Time) error {
	orphans, err := r.tasks.Orphans(ctx, now)
	if err != nil {
		return err
	}
	var p pass
	err = r.requeueOrphans(ctx, orphans, &p)
	// Counted last: a full Redis refuses the count, and must not stop the repairs.
	return errors.Join(err, r.repaired(ctx, order.RepairOrphan, p.requeued))
}

func (r *Repairer) requeueOrphans(ctx context.Context, orphans []Orphan, p *pass) error {
	quarantined, err := r.judgeQuarantined(ctx, orphans)
	if errors.Is(err, order.ErrUnavailable) {
		return err
	}
	failed, begun := []error{err}, time.Now()
	for _, o := range orphans {
		err := r.requeueOrphan(ctx, o, p)
		failed = append(failed, err)
		if errors.Is(err, order.ErrUnavailable) {
			return errors.Join(failed...)
		}
		if time.Since(begun) > orphansBudget {
			break
		}
	}
	return errors.Join(append(failed, r.quarantineNext(ctx, quarantined, p))...)
}

// requeueOrphan ends the open attempt of an orphan and requeues it, unless the order is
// a poison candidate that must wait for its quarantine. A settled order is requeued as
// well: the worker that meets it acknowledges it.
func (r *Repairer) requeueOrphan(ctx context.Context, o Orphan, p *pass) error {
	rec, err := r.ledger.Get(ctx, o.ID)
	if ignoreUnknown(err) != nil {
		return err
	}
	if err != nil || rec.Status.Settled() {
		return r.requeue(ctx, o, p)
	}
	lost, since := rec.WorkersLost, o.SeenAt
	switch last, open := lastAttempt(rec); {
	case open:
		loss, err := r.ledger.Lost(ctx, o.ID, order.LostAttempt{Number: last.Number, SeenAt: o.SeenAt})
		if err != nil {
			return err
		}
		lost = loss.WorkersLost
	case last.Number > 0:
		since = last.EndedAt
	}
	if isCandidate(lost) && o.SeenAt.Sub(since) < longestWait {
		p.candidates = append(p.candidates, o)
		return nil
	}
	return r.requeue(ctx, o, p)
}

// lastAttempt returns the last attempt of an order, zero without one, and whether the
// attempt is still open.
func lastAttempt(rec order.Record) (_ order.Attempt, open bool) {
	n := len(rec.Attempts)
	if n == 0 {
		return order.Attempt{}, false
	}
	last := rec.Attempts[n-1]
	return last, last.EndedAt.IsZero()
}

// requeue puts an orphan in front of its queue. A corrupt task is replaced.
func (r *Repairer) requeue(ctx context.Context, o Orphan, p *pass) error {
	requeued, err := r.tasks.Requeue(ctx, o)
	if errors.Is(err, order.ErrCorrupt) {
		return r.replaceCorrupt(ctx, o.Queue, o.ID)
	}
	if requeued {
		p.requeued++
		r.Log.WarnContext(ctx, "an order was requeued because its worker is gone", "order_id", o.ID, "queue", o.Queue)
	}
	return err
}
