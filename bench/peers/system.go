package peers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// connections is how many connections to its store a peer may hold: room for
// every caller and slot of the suite, so that none waits for another's.
const connections = 128

// engine is what a peer written in Go has to be able to do; system makes a
// System of it.
type engine interface {
	// put makes one order a job. It is safe for concurrent use.
	put(ctx context.Context, body []byte) error
	// run starts workers that give each order to work, and returns what stops
	// them: it waits until they have finished what they began.
	run(ctx context.Context, slots int, work func(body []byte) error) (stop func() error, err error)
	// close ends the connections to the store.
	close() error
}

// system runs an engine in this process.
type system struct {
	engine engine
	home   *home
	ids    []string // that the last drain worked
}

// inProcess makes a System of the engine that is opened.
func inProcess(open func(context.Context, *home) (engine, error)) openFunc {
	return func(ctx context.Context, h *home) (System, error) {
		e, err := open(ctx, h)
		if err != nil {
			return nil, err
		}
		return &system{engine: e, home: h}, nil
	}
}

// Enqueue implements System.
func (s *system) Enqueue(ctx context.Context, bodies [][]byte, callers int) error {
	if callers < 1 {
		return fmt.Errorf("enqueue from %d callers: there must be one", callers)
	}
	calling, ctx := errgroup.WithContext(ctx)
	for first := range callers {
		calling.Go(func() error {
			for n := first; n < len(bodies); n += callers {
				if err := s.engine.put(ctx, bodies[n]); err != nil {
					return fmt.Errorf("enqueue order %d: %w", n, err)
				}
			}
			return nil
		})
	}
	return calling.Wait()
}

// Drain implements System.
func (s *system) Drain(ctx context.Context, orders, slots int) (time.Duration, error) {
	if orders < 1 || slots < 1 {
		return 0, fmt.Errorf("drain %d orders with %d slots: there must be one", orders, slots)
	}
	t := newTally(orders)
	stop, err := s.engine.run(ctx, slots, t.work)
	if err != nil {
		return 0, fmt.Errorf("start workers: %w", err)
	}
	took, err := t.wait(ctx)
	if err := errors.Join(err, stop()); err != nil {
		return 0, fmt.Errorf("drain: %w", err)
	}
	s.ids = t.ids
	return took, checkDrained(t)
}

// checkDrained looks at a tally whose workers have stopped.
func checkDrained(t *tally) error {
	if begun := t.begun.Load(); begun != int64(len(t.ids)) {
		return fmt.Errorf("drain: work began %d times on %d orders", begun, len(t.ids))
	}
	return checkOnce(t.ids)
}

// Pickup implements System.
func (s *system) Pickup(ctx context.Context, tries int) (_ []time.Duration, err error) {
	begun := make(chan time.Time, 1)
	stop, err := s.engine.run(ctx, pickupSlots, func(body []byte) error {
		at := time.Now()
		_, err := decide(body)
		select {
		case begun <- at:
		default: // nobody waits for an order that is worked again
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start workers: %w", err)
	}
	waits, err := pickups(ctx, tries, begun, s.engine.put)
	return waits, errors.Join(err, stop())
}

// Close implements System.
func (s *system) Close() error { return errors.Join(s.engine.close(), s.home.close()) }

// worked returns the ids of the last drain.
func (s *system) worked() []string { return s.ids }

// where returns the home of the system.
func (s *system) where() *home { return s.home }
