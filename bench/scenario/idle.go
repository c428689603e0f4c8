package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/order"
)

// The bounds of the random time between two orders: longer than an order takes,
// so that each meets an idle system, and not in step with anything that polls.
const (
	shortestGap = 20 * time.Millisecond
	longestGap  = 60 * time.Millisecond
)

// The figures of an idle system: pickup is the time from acceptance to the first
// attempt, atRest what worker and Redis use together when nothing comes.
const (
	pickup = "pickup"
	atRest = "both at rest"
	// withBooks is the system with the most books there can be.
	withBooks = "ours, 64 books"
)

// tick is the resolution of processor times: what used less counts as one.
const tick = 10 * time.Millisecond

// idleSteps measure how soon an idle system begins an order, and what it costs to
// be that ready.
func (b *Bench) idleSteps() []Step {
	many := Step{Scenario: Idle, System: withBooks, Measure: b.idleBooks}
	return slices.Concat(both(Idle, b.idle), []Step{many}, b.pickupSteps())
}

// idleBooks measures what many books cost that have nothing to do.
func (b *Bench) idleBooks(ctx context.Context) error {
	s, err := b.openPaced(ctx, systems.Settings{Kind: systems.Ours, Books: order.MaxBooks})
	if err != nil {
		return err
	}
	defer s.Close()
	return b.restingCost(ctx, s, withBooks)
}

// openPaced starts a system that has worked a few orders, one after the other. The caller
// must close it.
func (b *Bench) openPaced(ctx context.Context, settings systems.Settings) (*systems.System, error) {
	s, err := b.openWorking(ctx, settings)
	if err != nil {
		return nil, err
	}
	err = clients.Paced(ctx, s.Addr, b.Sizes.Pickups, shortestGap, longestGap, mixedOrders())
	if err == nil {
		err = s.Books.Balance(ctx, b.Sizes.Pickups, 0)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (b *Bench) idle(ctx context.Context, kind systems.Kind) error {
	s, err := b.openPaced(ctx, systems.Settings{Kind: kind})
	if err != nil {
		return err
	}
	defer s.Close()
	wait, _, err := waits(ctx, s.Books, order.Filter{})
	if err != nil {
		return err
	}
	if len(wait) != b.Sizes.Pickups {
		return fmt.Errorf("%d of %d orders have the time of their first attempt", len(wait), b.Sizes.Pickups)
	}
	b.keepQuantiles(Idle, string(kind), pickup, quantiles(wait))
	return b.restingCost(ctx, s, string(kind))
}

// restingCost measures what a system uses that has nothing to do.
func (b *Bench) restingCost(ctx context.Context, s *systems.System, name string) error {
	worker, redis, err := s.CPU()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := pause(ctx, b.Sizes.IdleFor); err != nil {
		return err
	}
	workerAfter, redisAfter, err := s.CPU()
	if err != nil {
		return err
	}
	span := time.Since(begun)
	ofACore := func(used time.Duration) float64 { return 100 * float64(max(used, tick)) / float64(span) }
	b.keep(key(Idle, name, "worker at rest"), report.OfACore, ofACore(workerAfter-worker))
	b.keep(key(Idle, name, "Redis at rest"), report.OfACore, ofACore(redisAfter-redis))
	b.keep(key(Idle, name, atRest), report.OfACore, ofACore(workerAfter-worker+redisAfter-redis))
	return nil
}
