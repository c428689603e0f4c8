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
type system struct{ engine }

// inProcess makes a System of the engine that is opened.
func inProcess(open func(ctx context.Context, root, dir string) (engine, error)) func(context.Context, string, string) (System, error) {
	return func(ctx context.Context, root, dir string) (System, error) {
		e, err := open(ctx, root, dir)
		return system{e}, err
	}
}

// Enqueue implements System.
func (s system) Enqueue(ctx context.Context, bodies [][]byte, callers int) error {
	calling, ctx := errgroup.WithContext(ctx)
	for first := range callers {
		calling.Go(func() error {
			for n := first; n < len(bodies); n += callers {
				if err := s.put(ctx, bodies[n]); err != nil {
					return fmt.Errorf("enqueue order %d: %w", n, err)
				}
			}
			return nil
		})
	}
	return calling.Wait()
}

// Drain implements System.
func (s system) Drain(ctx context.Context, orders, slots int) (time.Duration, []string, error) {
	t := newTally(orders)
	stop, err := s.run(ctx, slots, t.work)
	if err != nil {
		return 0, nil, fmt.Errorf("start workers: %w", err)
	}
	took, err := t.wait(ctx)
	if err := errors.Join(err, stop()); err != nil {
		return 0, nil, fmt.Errorf("drain: %w", err)
	}
	if begun := t.begun.Load(); begun != int64(orders) {
		return 0, nil, fmt.Errorf("drain: work began %d times on %d orders", begun, orders)
	}
	return took, t.ids, checkOnce(t.ids, orders)
}

// Pickup implements System.
func (s system) Pickup(ctx context.Context, tries int) (_ []time.Duration, err error) {
	begun := make(chan time.Time, 1)
	stop, err := s.run(ctx, pickupSlots, func(body []byte) error {
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
	waits, err := pickups(ctx, tries, begun, s.put)
	return waits, errors.Join(err, stop())
}

// Close implements System.
func (s system) Close() error { return s.close() }
