package scenario

import (
	"context"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/load"
)

// The systems that the durability of Redis makes of ours.
const (
	oursOff    = "ours, AOF off"
	oursAlways = "ours, AOF always"
)

// sustainedSteps measure submit to settled.
func (b *Bench) sustainedSteps() []Step {
	steps := both(Sustained, func(ctx context.Context, kind systems.Kind) error {
		return b.sustained(ctx, string(kind), systems.Settings{Kind: kind})
	})
	return append(steps, b.durabilityStep(oursOff, systems.Off), b.durabilityStep(oursAlways, systems.Always))
}

func (b *Bench) durabilityStep(name string, d systems.Durability) Step {
	return Step{Scenario: Sustained, System: name, Measure: func(ctx context.Context) error {
		return b.sustained(ctx, name, systems.Settings{Kind: systems.Ours, Durability: d})
	}}
}

// sustained sends orders as fast as they are accepted while a worker settles them,
// and stops the clock when the last one is settled. What was left to settle when
// the last one was sent shows how far the worker had fallen behind.
func (b *Bench) sustained(ctx context.Context, name string, settings systems.Settings) error {
	s, err := b.openWorking(ctx, settings)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := b.throughSystem(ctx, s, b.Sizes.Sustained, mixedOrders())
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Sustained, 0); err != nil {
		return err
	}
	b.keep(key(Sustained, name, rate), report.OrdersPerSecond, m.rate)
	b.keep(key(Sustained, name, "left when the last was sent"), report.Orders, m.left)
	return nil
}

// openWorking starts a system with its worker. The caller must close it.
func (b *Bench) openWorking(ctx context.Context, settings systems.Settings) (*systems.System, error) {
	s, err := b.Programs.Open(ctx, settings)
	if err != nil {
		return nil, err
	}
	if err := startWorker(ctx, s); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// startWorker starts the worker and waits until it is alive.
func startWorker(ctx context.Context, s *systems.System) error {
	if err := s.StartWorker(); err != nil {
		return err
	}
	return s.AwaitWorker(ctx)
}

// through is what became of orders that went all the way.
type through struct {
	rate float64 // orders a second, from the first sent to the last settled
	left float64 // orders that were not settled when the last one was sent
}

// throughSystem sends orders and waits until they are settled.
func (b *Bench) throughSystem(ctx context.Context, s *systems.System, orders int, o load.Orders) (through, error) {
	before, err := s.Books.Totals(ctx)
	if err != nil {
		return through{}, err
	}
	if _, err := clients.Closed(ctx, s.Addr, b.Sizes.Clients, orders, o); err != nil {
		return through{}, err
	}
	sent, err := s.Books.Totals(ctx)
	if err != nil {
		return through{}, err
	}
	all := int(before.Processed()) + orders
	settled, err := s.Books.AwaitProcessed(ctx, all)
	if err != nil {
		return through{}, err
	}
	return through{
		rate: perSecond(int64(orders), settled.At.Sub(before.At)),
		left: float64(int64(all) - sent.Processed()),
	}, nil
}
