package queue

import (
	"context"

	"orderprocessor/internal/order"
)

// NoSweeper stands in for a Sweeper when Asynq is a version whose keys are not known: it
// finds nothing and changes nothing. Asynq's own recoverer then brings the orders of a
// lost worker back within 90 seconds.
type NoSweeper struct{}

// Strays finds none.
func (NoSweeper) Strays(context.Context) ([]order.Stray, error) { return nil, nil }

// Held finds none.
func (NoSweeper) Held(context.Context) ([]order.Stray, error) { return nil, nil }

// PutBack changes nothing.
func (NoSweeper) PutBack(context.Context, order.Stray) (bool, error) { return false, nil }

// Withhold changes nothing.
func (NoSweeper) Withhold(context.Context, order.Stray) error { return nil }

// SetAside changes nothing.
func (NoSweeper) SetAside(context.Context, order.Queue, string) (bool, error) { return false, nil }

// Parked finds none.
func (NoSweeper) Parked(context.Context) ([]order.Parked, bool, error) { return nil, true, nil }

// Remove changes nothing.
func (NoSweeper) Remove(context.Context, order.Parked) (bool, error) { return false, nil }
