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

// The processor time of each process for an order, and of all of them.
const (
	ofRedis     = "CPU of Redis per order"
	ofAPI       = "CPU of the API per order"
	ofWorker    = "CPU of the worker per order"
	allPerOrder = "CPU of API, worker and Redis per order"
)

// costOf sends orders as fast as they are accepted to a system whose worker has settled all
// that it was sent, and returns the processor time that it uses until these are settled.
func (b *Bench) costOf(ctx context.Context, s *systems.System, atOnce, orders int) (usage, error) {
	settled, err := s.Books.Totals(ctx)
	if err != nil {
		return usage{}, err
	}
	before, err := usageOf(s)
	if err != nil {
		return usage{}, err
	}
	if _, err := clients.Closed(ctx, s.Addr, atOnce, orders, mixedOrders()); err != nil {
		return usage{}, err
	}
	if _, err := s.Books.AwaitProcessed(ctx, int(settled.Processed())+orders); err != nil {
		return usage{}, err
	}
	after, err := usageOf(s)
	return after.since(before), err
}

func (b *Bench) keepUsage(scenario, system string, u usage, orders int) {
	perOrder := func(figure string, used time.Duration) {
		b.keep(key(scenario, system, figure), report.Microseconds, float64(used.Microseconds())/float64(orders))
	}
	redis := u.redis()
	perOrder(ofRedis, redis)
	perOrder(ofAPI, u.api)
	perOrder(ofWorker, u.worker)
	perOrder(allPerOrder, redis+u.api+u.worker)
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
