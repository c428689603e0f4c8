package queue

import (
	"context"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
)

// NoTasks replaces Tasks when the keys of this version of Asynq are not known: it finds
// nothing and changes nothing. Asynq's own recoverer then returns the orders of a lost
// worker within 90 seconds.
type NoTasks struct{}

var _ recovery.Tasks = NoTasks{}

// Orphans finds none.
func (NoTasks) Orphans(context.Context, time.Time) ([]recovery.Orphan, error) { return nil, nil }

// Count finds none.
func (NoTasks) Count(context.Context) (recovery.Counts, error) { return recovery.Counts{}, nil }

// Active finds none.
func (NoTasks) Active(context.Context) ([]recovery.ActiveTask, error) { return nil, nil }

// Requeue changes nothing.
func (NoTasks) Requeue(context.Context, recovery.Orphan) (bool, error) { return false, nil }

// DropLease changes nothing.
func (NoTasks) DropLease(context.Context, recovery.Orphan) error { return nil }

// StoreCorrupt changes nothing.
func (NoTasks) StoreCorrupt(context.Context, order.Queue, string) (bool, error) { return false, nil }

// Delayed finds none.
func (NoTasks) Delayed(context.Context) ([]recovery.DelayedTask, bool, error) { return nil, true, nil }

// Remove changes nothing.
func (NoTasks) Remove(context.Context, recovery.DelayedTask) (bool, error) { return false, nil }
