package scenario

import (
	"context"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// singleSteps measure POST /orders without a worker.
func (b *Bench) singleSteps() []Step { return both(Single, b.single) }

func (b *Bench) single(ctx context.Context, kind systems.Kind) error {
	send := func(addr string) (time.Duration, error) {
		return clients.Closed(ctx, addr, b.Sizes.Clients, b.Sizes.Single, mixedOrders())
	}
	return b.intake(ctx, Single, kind, b.Sizes.Single, send)
}

// batchSteps measure POST /orders/batch without a worker.
func (b *Bench) batchSteps() []Step {
	return []Step{{Scenario: Batch, System: string(systems.Ours), Measure: func(ctx context.Context) error {
		send := func(addr string) (time.Duration, error) {
			return clients.Batches(ctx, addr, b.Sizes.Batch, mixedOrders())
		}
		return b.intake(ctx, Batch, systems.Ours, b.Sizes.Batch, send)
	}}}
}

// intake measures how fast orders are answered 201 while nobody works them.
func (b *Bench) intake(
	ctx context.Context, scenario string, kind systems.Kind, orders int, send func(addr string) (time.Duration, error),
) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: kind})
	if err != nil {
		return err
	}
	defer s.Close()
	took, err := send(s.Addr)
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, orders, orders); err != nil {
		return err
	}
	b.keep(key(scenario, string(kind), rate), report.OrdersPerSecond, perSecond(int64(orders), took))
	return nil
}

func perSecond(orders int64, took time.Duration) float64 { return float64(orders) / took.Seconds() }
