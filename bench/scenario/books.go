package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"orderprocessor/bench/clients"
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
	ofRedis     = "CPU of Redis per order"
	ofAPI       = "CPU of the API per order"
	ofWorker    = "CPU of the worker per order"
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
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours, Books: books, Nodes: nodes, Slots: b.Sizes.SpreadSlots})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	before, err := usageOf(s)
	if err != nil {
		return err
	}
	if _, err := clients.Closed(ctx, s.Addr, b.Sizes.SpreadClients, b.Sizes.Spread, mixedOrders()); err != nil {
		return err
	}
	if _, err := s.Books.AwaitProcessed(ctx, b.Sizes.Spread); err != nil {
		return err
	}
	after, err := usageOf(s)
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Spread, 0); err != nil {
		return err
	}
	b.keepUsage(name, after.since(before))
	if nodes == 0 {
		return nil
	}
	kept, err := s.Kept(ctx)
	if err != nil {
		return err
	}
	b.keep(key(Books, name, busiestKept), report.Times, busiest(kept))
	return nil
}

func (b *Bench) keepUsage(name string, u usage) {
	perOrder := func(figure string, used time.Duration) {
		b.keep(key(Books, name, figure), report.Microseconds, float64(used.Microseconds())/float64(b.Sizes.Spread))
	}
	redis := u.redis()
	perOrder(ofRedis, redis)
	perOrder(ofAPI, u.api)
	perOrder(ofWorker, u.worker)
	perOrder(allPerOrder, redis+u.api+u.worker)
	if len(u.nodes) > 1 {
		b.keep(key(Books, name, busiestCPU), report.Times, busiest(u.nodes))
	}
}

// usage is the processor time of each process.
type usage struct {
	api, worker time.Duration
	nodes       []time.Duration
}

func usageOf(s *systems.System) (u usage, err error) {
	if u.worker, _, err = s.CPU(); err != nil {
		return u, err
	}
	if u.api, err = s.APICPU(); err != nil {
		return u, err
	}
	for _, node := range s.Nodes {
		used, err := node.CPU()
		if err != nil {
			return u, fmt.Errorf("read the processor time of a node: %w", err)
		}
		u.nodes = append(u.nodes, used)
	}
	return u, nil
}

func (u usage) since(before usage) usage {
	d := usage{api: u.api - before.api, worker: u.worker - before.worker}
	for n := range u.nodes {
		d.nodes = append(d.nodes, u.nodes[n]-before.nodes[n])
	}
	return d
}

func (u usage) redis() (all time.Duration) {
	for _, used := range u.nodes {
		all += used
	}
	return all
}

// busiest is the largest share as a multiple of the mean.
func busiest[T ~int64](shares []T) float64 {
	var all T
	for _, share := range shares {
		all += share
	}
	return float64(slices.Max(shares)) * float64(len(shares)) / float64(all)
}
