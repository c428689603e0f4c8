package intake

import (
	"context"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

const (
	// gateInterval is how old the gate's reading may be; between two readings it
	// adds what this process accepts.
	gateInterval = 250 * time.Millisecond
	// gateTimeout bounds one reading.
	gateTimeout = time.Second
	// memoryShare is how much of its memory Redis may use before nothing more is
	// accepted, in percent. At its limit workers cannot fetch orders either.
	memoryShare = 80
	// busyRetryAfter is what a refused client is told to wait.
	busyRetryAfter = 5 * time.Second
)

// Backlog tells how many orders wait in all queues together.
type Backlog interface {
	Backlog(ctx context.Context) (int64, error)
}

// Memory tells how many bytes Redis uses and may use; limit is 0 when there is
// no bound.
type Memory interface {
	Memory(ctx context.Context) (used, limit int64, err error)
}

// Gate refuses orders while too many wait or Redis is nearly full. Several API
// processes may together exceed the limit by what they accept in a quarter of a
// second.
type Gate struct {
	backlog Backlog
	memory  Memory
	limit   int64
	waiting atomic.Int64
	full    atomic.Bool
}

// NewGate returns a gate that closes at limit waiting orders. It is open until
// Run has read for the first time.
func NewGate(b Backlog, m Memory, limit int) *Gate {
	return &Gate{backlog: b, memory: m, limit: int64(limit)}
}

// Run reads the backlog and the memory until ctx ends. While Redis is away the
// last reading stands.
func (g *Gate) Run(ctx context.Context) error {
	tick := time.NewTicker(gateInterval)
	defer tick.Stop()
	for {
		g.read(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Gate) read(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	if n, err := g.backlog.Backlog(ctx); err == nil {
		g.waiting.Store(n)
	}
	if used, limit, err := g.memory.Memory(ctx); err == nil {
		g.full.Store(limit > 0 && used > limit/100*memoryShare)
	}
}

// Admit takes a place for an order, or returns *order.BusyError when there is
// none.
func (g *Gate) Admit() error {
	if g.full.Load() {
		return &order.BusyError{Reason: "Redis is nearly full", RetryAfter: busyRetryAfter}
	}
	if g.waiting.Add(1) > g.limit {
		g.Leave()
		return &order.BusyError{Reason: "too many orders are waiting", RetryAfter: busyRetryAfter}
	}
	return nil
}

// Leave gives the place back of an order that does not wait after all.
func (g *Gate) Leave() { g.waiting.Add(-1) }
