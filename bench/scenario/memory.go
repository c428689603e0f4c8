package scenario

import (
	"context"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

const (
	// perCustomer is how many orders of each customer are weighed.
	perCustomer = 10
	// oursPlainRedis is our system on a Redis with its own default for records.
	oursPlainRedis = "ours, Redis default"
	// streamKey is the stream of events, which has a bound of its own.
	streamKey = "orders:{b0}:e"
)

// The figures of memory.
const (
	perWaiting  = "per waiting order"
	perFinished = "per finished order"
	withStream  = ", with its events"
	wholeStream = "stream of events"
)

// memorySteps weigh orders. They do so once: memory does not vary from run to run.
func (b *Bench) memorySteps() []Step {
	weigh := func(name string, settings ...string) Step {
		return Step{Scenario: Memory, System: name, Once: true, Measure: func(ctx context.Context) error {
			return b.memory(ctx, name, settings)
		}}
	}
	return []Step{weigh(string(systems.Ours)), weigh(oursPlainRedis, "--hash-max-listpack-value", "64")}
}

// memory weighs orders while they wait, and the same ones when they are finished.
func (b *Bench) memory(ctx context.Context, name string, settings []string) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours, Redis: settings})
	if err != nil {
		return err
	}
	defer s.Close()
	empty, err := s.Redis.Memory(ctx)
	if err != nil {
		return err
	}
	orders := mixedOrders()
	orders.Customers = max(b.Sizes.Memory/perCustomer, 1)
	if err := b.fill(ctx, s, systems.Ours, b.Sizes.Memory, orders); err != nil {
		return err
	}
	if err := b.weigh(ctx, s, name, perWaiting, empty); err != nil {
		return err
	}
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Memory, 0); err != nil {
		return err
	}
	return b.weigh(ctx, s, name, perFinished, empty)
}

// weigh keeps what an order takes, with and without the stream of events: that
// stops growing at its bound, whatever the number of orders.
func (b *Bench) weigh(ctx context.Context, s *systems.System, name, figure string, empty int64) error {
	used, err := s.Redis.Memory(ctx)
	if err != nil {
		return err
	}
	stream, err := s.Redis.KeyMemory(ctx, streamKey)
	if err != nil {
		return err
	}
	orders := float64(b.Sizes.Memory)
	b.keep(key(Memory, name, figure), report.Bytes, float64(used-empty-stream)/orders)
	b.keep(key(Memory, name, figure+withStream), report.Bytes, float64(used-empty)/orders)
	b.keep(key(Memory, name, wholeStream), report.Bytes, float64(stream))
	return nil
}
