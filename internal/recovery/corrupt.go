package recovery

import (
	"context"
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// The bounds of the corrupt tasks that are stored for inspection.
const (
	// MaxCorruptTasks is how many corrupt tasks are stored for each queue, the newest.
	MaxCorruptTasks = 1000
	// MaxCorruptBytes is how much of each is stored.
	MaxCorruptBytes = 4096
)

// CorruptTask is a task that could not be decoded and was removed from its queue.
type CorruptTask struct {
	ID      string      // the order's
	Queue   order.Queue // that held the task
	FoundAt time.Time   // when it was removed from the queue
	Message []byte      // its content, cut to MaxCorruptBytes
}

// hasTask reports whether the order has a task that will be worked. A corrupt one is
// replaced at once, as one that is due blocks all delayed tasks of its queue.
func (r *Repairer) hasTask(ctx context.Context, rec order.Record) (bool, error) {
	held, err := r.queue.Holds(ctx, rec)
	if errors.Is(err, order.ErrCorrupt) {
		return true, r.replaceCorrupt(ctx, rec.Queue, rec.ID)
	}
	return held, err
}

// replaceCorrupt removes a corrupt task from its queue, stores it for inspection, and gives
// its order a new task.
func (r *Repairer) replaceCorrupt(ctx context.Context, q order.Queue, id string) error {
	stored, err := r.tasks.StoreCorrupt(ctx, q, id)
	if err != nil {
		return err
	}
	if stored {
		r.Log.ErrorContext(ctx, "the task of an order was corrupt and has been replaced", "order_id", id, "queue", q)
		if err := r.repaired(ctx, order.RepairCorruptTask, 1); err != nil {
			return err
		}
	}
	return r.enqueueMissing(ctx, id)
}
