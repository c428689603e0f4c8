package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// DelayedTask is a task that waits for its time, scheduled or retrying, or that is
// archived. No worker sees it before its time.
type DelayedTask struct {
	ID         string      // the order's
	Queue      order.Queue // that holds the task
	ArchivedAt time.Time   // zero for one that waits for its time
}

// removeStale walks through the delayed tasks, and removes those whose order does not
// wait for them. It continues where the last walk ended.
func (r *Repairer) removeStale(ctx context.Context, now time.Time) error {
	removed := 0
	for range maxPages {
		found, done, err := r.tasks.Delayed(ctx)
		if err != nil {
			return err
		}
		for _, t := range found {
			gone, err := r.removeIfStale(ctx, t, now)
			if err != nil {
				return err
			}
			if gone {
				removed++
			}
		}
		if done {
			break
		}
	}
	if removed > 0 {
		r.Log.WarnContext(ctx, "removed tasks whose orders are settled or forgotten", "tasks", removed)
	}
	return r.repaired(ctx, order.RepairStaleTask, removed)
}

// removeIfStale removes a task unless its order waits for it. An archived task stays for
// operators while its order is known, and for the retention after it was archived.
func (r *Repairer) removeIfStale(ctx context.Context, t DelayedTask, now time.Time) (removed bool, err error) {
	rec, err := r.ledger.Get(ctx, t.ID)
	unknown := errors.Is(err, order.ErrNotFound)
	switch {
	case errors.Is(err, order.ErrUnreadable):
		return false, nil
	case err != nil && !unknown:
		return false, err
	case !t.ArchivedAt.IsZero() && (!unknown || now.Sub(t.ArchivedAt) < r.Retention):
		return false, nil
	case !unknown && !rec.Status.Settled() && rec.Status != order.StatusHeld && rec.Queue == t.Queue:
		_, err := r.hasTask(ctx, rec)
		return false, err
	default:
		return r.tasks.Remove(ctx, t)
	}
}
