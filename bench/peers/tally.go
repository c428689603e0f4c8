package peers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// stallLimit is how long a drain waits for the next order to be worked before it
// gives up: far above the longest poll of any peer, 5 s.
const stallLimit = 30 * time.Second

// tally notes what the workers of one drain work. It costs a slot two atomic
// additions for an order, and no lock. Its work is safe for concurrent use.
type tally struct {
	ids      []string // of the orders in the order in which they were begun
	begun    atomic.Int64
	worked   atomic.Int64
	first    time.Time
	last     time.Time
	finish   sync.Once
	finished chan struct{}
	err      error
}

// newTally returns a tally of so many orders, at least one.
func newTally(orders int) *tally {
	return &tally{ids: make([]string, orders), finished: make(chan struct{})}
}

// work decides one order and counts it. An error ends the drain.
func (t *tally) work(body []byte) error {
	begun := time.Now()
	n := t.begun.Add(1)
	if n == 1 {
		t.first = begun
	}
	if n > int64(len(t.ids)) {
		return t.end(fmt.Errorf("more than %d orders were worked", len(t.ids)))
	}
	o, err := decide(body)
	if err != nil {
		return t.end(err)
	}
	t.ids[n-1] = o.ID
	if t.worked.Add(1) < int64(len(t.ids)) {
		return nil
	}
	t.last = time.Now()
	return t.end(nil)
}

func (t *tally) end(err error) error {
	t.finish.Do(func() {
		t.err = err
		close(t.finished)
	})
	return err
}

// wait returns the time from the first to the last order, once all have been
// worked.
func (t *tally) wait(ctx context.Context) (time.Duration, error) {
	stall := time.NewTicker(stallLimit)
	defer stall.Stop()
	for seen := int64(-1); ; seen = t.worked.Load() {
		select {
		case <-t.finished:
			return t.last.Sub(t.first), t.err
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d orders were worked: %w", t.worked.Load(), len(t.ids), ctx.Err())
		case <-stall.C:
			if t.worked.Load() == seen {
				return 0, fmt.Errorf("only %d of %d orders were worked, none for %v", seen, len(t.ids), stallLimit)
			}
		}
	}
}

// checkOnce returns an error unless so many orders are listed and none twice. Orders
// without an id cannot be distinguished and pass.
func checkOnce(ids []string, orders int) error {
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if id != "" && seen[id] {
			return errors.New("order " + id + " was worked twice")
		}
		seen[id] = true
	}
	if len(ids) != orders {
		return fmt.Errorf("work began %d times on %d orders", len(ids), orders)
	}
	return nil
}
