package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"orderprocessor/internal/queue/prefetch"
)

// maxBlocked is how long a delivery waits for its turn, well below taskGrace, so that the
// attempt has its whole time.
const maxBlocked = 10 * time.Second

// errNotNow ends a delivery whose turn did not come.
var errNotNow = errors.New("the limit lets no order be worked now")

// Limit lets the consumer take n more orders, or any number if n is below 0, as it is at
// first. It returns how many orders of the limit before it has not taken. It returns at
// once and is safe for concurrent use.
//
// With prefetching, orders beyond the limit stay in their queues. Plain servers take as
// many as they have slots, and let them wait there before they are worked.
func (c *Consumer) Limit(n int) (unused int) {
	if c.prefetch != nil {
		return c.prefetch.Limit(n)
	}
	return c.turns.limit(n)
}

// Extend lets the consumer take n more orders than its limit says, if it has one.
func (c *Consumer) Extend(n int) {
	if c.prefetch != nil {
		c.prefetch.Extend(n)
		return
	}
	c.turns.extend(n)
}

// Free returns how many orders could begin at once: the slots in which none is worked.
func (c *Consumer) Free() int { return c.cfg.Concurrency - int(c.running.Load()) }

// turns lets deliveries of plain servers begin. It is safe for concurrent use.
type turns struct {
	mu      sync.Mutex
	left    int           // below 0 for any number
	stopped bool          // nobody gets a turn
	changed chan struct{} // closed and replaced at each change
}

func newTurns() *turns { return &turns{left: prefetch.Unlimited, changed: make(chan struct{})} }

func (t *turns) limit(n int) (unused int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unused, t.left = max(t.left, 0), n
	t.broadcast()
	return unused
}

func (t *turns) extend(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left >= 0 {
		t.left += n
		t.broadcast()
	}
}

// stop ends the waits of all deliveries, and those that come, while it is on.
func (t *turns) stop(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = on
	t.broadcast()
}

func (t *turns) broadcast() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// take waits for a turn. It returns errNotNow when none comes in time.
func (t *turns) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxBlocked)
	defer cancel()
	for {
		taken, stopped, changed := t.try()
		if taken {
			return nil
		}
		if stopped {
			return errNotNow
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errNotNow
		}
	}
}

func (t *turns) try() (taken, stopped bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left > 0 {
		t.left--
		return true, false, nil
	}
	return t.left < 0, t.stopped, t.changed
}
