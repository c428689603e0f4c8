package scenario

import (
	"context"
	"slices"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// perOrder is the processor time of worker and Redis for each order of a drain.
const perOrder = "CPU of worker and Redis per order"

// drainSteps measure how fast waiting orders are worked, by us, by us on plain Asynq
// servers, and by others.
func (b *Bench) drainSteps() []Step {
	plain := Step{Scenario: Drain, System: string(systems.Plain), Measure: func(ctx context.Context) error {
		return b.drain(ctx, systems.Plain)
	}}
	return slices.Concat(both(Drain, b.drain), []Step{plain}, b.peerSteps())
}

// drain has all orders wait in the three queues, then starts the worker. The rate
// is from the first reading of the totals with settled orders to the first with all of
// them, and counts what was settled between.
func (b *Bench) drain(ctx context.Context, kind systems.Kind) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: kind})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := clients.Closed(ctx, s.Addr, b.Sizes.Clients, b.Sizes.Drain, mixedOrders()); err != nil {
		return err
	}
	if err := s.StartWorker(); err != nil {
		return err
	}
	first, err := s.Books.AwaitProcessed(ctx, 1)
	if err != nil {
		return err
	}
	worker, redis, err := s.CPU()
	if err != nil {
		return err
	}
	last, err := s.Books.AwaitProcessed(ctx, b.Sizes.Drain)
	if err != nil {
		return err
	}
	workerAfter, redisAfter, err := s.CPU()
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Drain, 0); err != nil {
		return err
	}
	settled := last.Processed() - first.Processed()
	used := workerAfter - worker + redisAfter - redis
	b.keep(key(Drain, string(kind), rate), report.OrdersPerSecond, perSecond(settled, last.At.Sub(first.At)))
	b.keep(key(Drain, string(kind), perOrder), report.Microseconds, float64(used.Microseconds())/float64(settled))
	return nil
}
