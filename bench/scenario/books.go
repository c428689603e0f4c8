package scenario

import (
	"context"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// The systems over which orders are spread. Clients and worker slots are the same for all.
const (
	oneBook     = "1 book on one Redis"
	manyBooks   = "16 books on one Redis"
	manyNodes   = "16 books on three nodes"
	spreadBooks = 16
	spreadNodes = 3
)

// The figures of a spread.
const (
	busiestCPU  = "CPU of the busiest node / mean"
	busiestKept = "orders of the busiest node / mean"
)

// bookSteps measure what an order costs when orders are spread over books and nodes.
func (b *Bench) bookSteps() []Step {
	step := func(name string, books, nodes int) Step {
		return Step{Scenario: Books, System: name, Measure: func(ctx context.Context) error { return b.spread(ctx, name, books, nodes) }}
	}
	return []Step{step(oneBook, 1, 0), step(manyBooks, spreadBooks, 0), step(manyNodes, spreadBooks, spreadNodes)}
}

// spread sends orders as fast as they are accepted while a worker settles them, and counts
// the processor time of each process until all are settled.
func (b *Bench) spread(ctx context.Context, name string, books, nodes int) error {
	s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours, Books: books, Nodes: nodes, Slots: b.Sizes.SpreadSlots})
	if err != nil {
		return err
	}
	defer s.Close()
	used, err := b.costOf(ctx, s, b.Sizes.SpreadClients, b.Sizes.Spread)
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Spread, 0); err != nil {
		return err
	}
	b.keepUsage(Books, name, used, b.Sizes.Spread)
	if nodes == 0 {
		return nil
	}
	kept, err := s.Kept(ctx)
	if err != nil {
		return err
	}
	b.keep(key(Books, name, busiestCPU), report.Times, busiest(used.nodes))
	b.keep(key(Books, name, busiestKept), report.Times, busiest(kept))
	return nil
}
