package scenario

import (
	"context"
	"fmt"
	"time"

	"orderprocessor/bench/systems"
	"orderprocessor/internal/order"
)

// settlement is what was settled of each queue between two moments of Redis.
type settlement struct {
	from, to time.Time
	orders   map[order.Queue]int64
}

// settledDuring returns what was settled while do ran. Low and default orders must
// still wait afterwards: otherwise their shares mean nothing.
func settledDuring(ctx context.Context, s *systems.System, do func() error) (settlement, error) {
	before, err := s.Books.Totals(ctx)
	if err != nil {
		return settlement{}, err
	}
	if err := do(); err != nil {
		return settlement{}, err
	}
	after, err := s.Books.Totals(ctx)
	if err != nil {
		return settlement{}, err
	}
	settled := settlement{from: before.At, to: after.At, orders: map[order.Queue]int64{}}
	for _, q := range order.Queues() {
		settled.orders[q] = after.EndToEnd[q].Count() - before.EndToEnd[q].Count()
	}
	return settled, stillWaiting(ctx, s)
}

func stillWaiting(ctx context.Context, s *systems.System) error {
	depths, err := s.Books.Depths(ctx)
	if err != nil {
		return err
	}
	for _, q := range []order.Queue{order.QueueLow, order.QueueDefault} {
		if depths[q].Pending == 0 {
			return fmt.Errorf("no order of queue %s waits any more, so its share means nothing", q)
		}
	}
	return nil
}

// stopAndBalance has the workers finish what they have begun and begin nothing more,
// and compares the books with what was sent.
func stopAndBalance(ctx context.Context, s *systems.System, accepted int) error {
	for _, q := range order.Queues() {
		if err := s.Books.Pause(ctx, q); err != nil {
			return err
		}
	}
	return s.Books.BalanceStopped(ctx, accepted)
}
