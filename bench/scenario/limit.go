package scenario

import (
	"context"
	"fmt"
	"path/filepath"

	"orderprocessor/bench/record"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

const (
	// replayed names what a Redis does that is asked for nothing but an order's
	// commands.
	replayed = "Redis alone"
	// strayPart is how many tasks, one of so many orders, may be left over after a
	// replay: commands that passed the recorder at the same moment may have met Redis
	// in another order than they were written down.
	strayPart = 100
)

// limitSteps measure how fast Redis alone does what an order costs it.
func (b *Bench) limitSteps() []Step {
	return []Step{{Scenario: Limit, System: replayed, Measure: b.limit}}
}

// limit writes down the commands that our API and worker send while orders go all
// the way, and plays them back into an empty Redis, as fast as it takes them. Once
// they are played back before, to leave out those that found nothing to do.
func (b *Bench) limit(ctx context.Context) error {
	commands, err := b.recordRun(ctx)
	if err != nil {
		return err
	}
	var useful [][]any
	err = b.onEmptyRedis(ctx, func(r *systems.Redis) (err error) {
		useful, err = record.Useful(ctx, r.Client(), record.Changes(commands))
		return err
	})
	if err != nil {
		return err
	}
	return b.onEmptyRedis(ctx, func(r *systems.Redis) error { return b.replay(ctx, r, useful) })
}

// recordRun returns the commands of a run in which orders go all the way.
func (b *Bench) recordRun(ctx context.Context) (commands [][]any, err error) {
	var proxy *record.Proxy
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours, Through: func(r *systems.Redis) (string, error) {
		socket := filepath.Join(filepath.Dir(r.Socket()), "recorder")
		proxy, err = record.Open(ctx, socket, r.Socket())
		return "unix://" + socket, err
	}})
	if proxy != nil {
		defer func() { _ = proxy.Close() }()
	}
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := startWorker(ctx, s); err != nil {
		return nil, err
	}
	if _, err := b.throughSystem(ctx, s, b.Sizes.Replayed, mixedOrders()); err != nil {
		return nil, err
	}
	return proxy.Commands(), s.Books.Balance(ctx, b.Sizes.Replayed, 0)
}

func (b *Bench) onEmptyRedis(ctx context.Context, do func(*systems.Redis) error) error {
	r, err := systems.OpenRedis(ctx, b.Programs.Root(), b.Programs.Dir(), systems.Everysec)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(r)
}

// replay plays the commands back against the clock, and holds the books that they
// made to the number of orders.
func (b *Bench) replay(ctx context.Context, r *systems.Redis, commands [][]any) error {
	took, err := record.Play(ctx, r.Socket(), commands)
	if err != nil {
		return err
	}
	settled, left, err := systems.NewBooks(r.Client()).Sum(ctx)
	if err != nil {
		return err
	}
	if settled != b.Sizes.Replayed || left > b.Sizes.Replayed/strayPart {
		return fmt.Errorf("the replay settled %d of %d orders and left %d tasks", settled, b.Sizes.Replayed, left)
	}
	b.keep(key(Limit, replayed, rate), report.OrdersPerSecond, perSecond(int64(b.Sizes.Replayed), took))
	b.keep(key(Limit, replayed, "commands per order"), report.Commands, float64(len(commands))/float64(b.Sizes.Replayed))
	return nil
}
