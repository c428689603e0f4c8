package intake

import (
	"context"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

const (
	// gateInterval is how old the gate's count of waiting orders may be; between
	// two counts it adds what this process accepts.
	gateInterval = 250 * time.Millisecond
	// gateTimeout bounds one count.
	gateTimeout = time.Second
	// busyRetryAfter is what a refused client is told to wait.
	busyRetryAfter = 5 * time.Second
)

// Lengths tells how many orders wait in all queues together.
type Lengths interface {
	Pending(ctx context.Context) (int64, error)
}

// Gate refuses orders while too many wait. Several API processes may together
// exceed the limit by what they accept in a quarter of a second.
type Gate struct {
	lengths Lengths
	limit   int64
	waiting atomic.Int64
}

// NewGate returns a gate that closes at limit waiting orders. It is open until
// Run has counted.
func NewGate(l Lengths, limit int) *Gate { return &Gate{lengths: l, limit: int64(limit)} }

// Run counts the waiting orders until ctx ends. While Redis is away the last
// count stands.
func (g *Gate) Run(ctx context.Context) error {
	tick := time.NewTicker(gateInterval)
	defer tick.Stop()
	for {
		g.count(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Gate) count(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	if n, err := g.lengths.Pending(ctx); err == nil {
		g.waiting.Store(n)
	}
}

// Admit takes a place for an order, or returns *order.BusyError when the queues
// are full.
func (g *Gate) Admit() error {
	if g.waiting.Add(1) > g.limit {
		g.Leave()
		return &order.BusyError{RetryAfter: busyRetryAfter}
	}
	return nil
}

// Leave gives the place back of an order that does not wait after all.
func (g *Gate) Leave() { g.waiting.Add(-1) }
