package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/client"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

// cpuOf is the processor time of one part of a system, and cpuOfAll that of all parts.
const (
	cpuOf    = "CPU of "
	cpuOfAll = "CPU of all"
)

const (
	// costOrders is for how many orders the processor time is given.
	costOrders = 10_000
	// shortestPoll and pollShare bound how often a system is asked how many orders are
	// settled: counting rows takes time, of which this is the inverse share.
	shortestPoll = 50 * time.Millisecond
	pollShare    = 20
)

// whole is a running system as this scenario sees it.
type whole struct {
	addr    string
	parts   []systems.Part
	analyse func(context.Context) error
}

// workSteps measure submit to settled, and what it costs each process, of our system and
// of those that a user would build instead.
func (b *Bench) workSteps() []Step {
	steps := []Step{{Scenario: Work, System: ours, Measure: func(ctx context.Context) error {
		s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours})
		if err != nil {
			return err
		}
		defer s.Close()
		none := func(context.Context) error { return nil }
		return b.work(ctx, ours, whole{s.Addr, s.Parts(), none})
	}}}
	for _, service := range b.Services {
		steps = append(steps, b.peerStep(Work, service.Name, func(ctx context.Context, dir string) (err error) {
			s, err := service.Open(ctx, b.Programs, dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return b.work(ctx, service.Name, whole{s.Addr, s.Parts, s.Analyse})
		}))
	}
	return steps
}

// work sends orders as fast as they are accepted, until all are settled. The first ones
// are not measured: they fill caches and have code compiled.
func (b *Bench) work(ctx context.Context, name string, w whole) error {
	api, err := client.New("http://"+w.addr, client.Options{})
	if err != nil {
		return err
	}
	defer api.Close()
	if _, err := b.sendAndSettle(ctx, w.addr, api, 0, b.Sizes.WarmUp); err != nil {
		return err
	}
	if err := w.analyse(ctx); err != nil {
		return err
	}
	before, err := b.cpuOfParts(ctx, w.parts)
	if err != nil {
		return err
	}
	took, err := b.sendAndSettle(ctx, w.addr, api, b.Sizes.WarmUp, b.Sizes.Work)
	if err != nil {
		return err
	}
	after, err := b.cpuOfParts(ctx, w.parts)
	if err != nil {
		return err
	}
	b.keep(key(Work, name, rate), report.OrdersPerSecond, perSecond(int64(b.Sizes.Work), took))
	var all time.Duration
	for n, part := range w.parts {
		used := after[n] - before[n]
		all += used
		b.keep(key(Work, name, cpuOf+part.Name), report.CPUSeconds, b.cost(used))
	}
	b.keep(key(Work, name, cpuOfAll), report.CPUSeconds, b.cost(all))
	return nil
}

// cost is a processor time in seconds for costOrders orders.
func (b *Bench) cost(used time.Duration) float64 {
	return used.Seconds() * costOrders / float64(b.Sizes.Work)
}

// cpuOfParts returns the processor time of each part, once they have come to rest.
func (b *Bench) cpuOfParts(ctx context.Context, parts []systems.Part) ([]time.Duration, error) {
	if err := pause(ctx, b.Sizes.Afterwards); err != nil {
		return nil, err
	}
	used := make([]time.Duration, len(parts))
	for n, part := range parts {
		var err error
		if used[n], err = part.FamilyCPU(); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// sendAndSettle sends so many orders to a system that has settled some, waits until it
// has settled these too, and checks what it counts: each order has one outcome, and the
// rules have rejected those that they must.
func (b *Bench) sendAndSettle(ctx context.Context, addr string, api *client.Client, settled, orders int) (time.Duration, error) {
	sent := mixedOrders()
	sent.Run = load.NewRun()
	begun := time.Now()
	if _, err := clients.Closed(ctx, addr, b.Sizes.Clients, orders, sent); err != nil {
		return 0, err
	}
	s, err := awaitSettled(ctx, api, settled+orders)
	if err != nil {
		return 0, err
	}
	took := time.Since(begun)
	all, rejected := int64(settled+orders), int64((settled+orders)/rejectEvery)
	if s.Settled() != all || s.ByStatus[order.StatusPending] != 0 || s.ByStatus[order.StatusRejected] != rejected {
		return 0, fmt.Errorf("of %d orders, of which %d are to be rejected, the statuses have %v", all, rejected, s.ByStatus)
	}
	return took, nil
}

// awaitSettled waits until so many orders have an outcome.
func awaitSettled(ctx context.Context, api *client.Client, orders int) (client.Stats, error) {
	for {
		asked := time.Now()
		s, err := api.Stats(ctx)
		if err != nil || s.Settled() >= int64(orders) {
			return s, err
		}
		if err := pause(ctx, max(shortestPoll, pollShare*time.Since(asked))); err != nil {
			return s, fmt.Errorf("%d of %d orders are settled: %w", s.Settled(), orders, err)
		}
	}
}

// workRatios divide our figures by those of each system that a user would build, and by
// the best of them.
func (b *Bench) workRatios() []report.Ratio {
	var ratios []report.Ratio
	add := func(name string, systems ...string) {
		rates, costs := make([]report.Key, 0, len(systems)), make([]report.Key, 0, len(systems))
		for _, s := range systems {
			rates, costs = append(rates, key(Work, s, rate)), append(costs, key(Work, s, cpuOfAll))
		}
		ratios = append(ratios,
			report.Ratio{Key: key(Work, name, rate), Of: key(Work, ours, rate), By: rates},
			report.Ratio{Key: key(Work, name, cpuOfAll), Of: key(Work, ours, cpuOfAll), By: costs, Least: true})
	}
	names := make([]string, 0, len(b.Services))
	for _, s := range b.Services {
		add(ours+" / "+s.Name, s.Name)
		names = append(names, s.Name)
	}
	add(byBest, names...)
	return ratios
}
