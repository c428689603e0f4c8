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
	// minRetryAfter and maxRetryAfter bound what a refused client is told to wait.
	minRetryAfter = time.Second
	maxRetryAfter = 2 * time.Minute
	// stillRetryAfter is what it is told while nothing drains that could be measured.
	stillRetryAfter = 10 * time.Second
	// headroom is the part of the limit that should be free again when refused
	// clients come back, in percent: with less they would be refused again.
	headroom = 5
)

// Backlog tells how many orders wait in all queues together.
type Backlog interface {
	Backlog(ctx context.Context) (int64, error)
}

// Load tells how full Redis is and how fast orders leave it; see the methods of
// ledger.Ledger.
type Load interface {
	Memory(ctx context.Context) (used, limit int64, err error)
	Settled(ctx context.Context) (int64, error)
}

// Gate refuses orders while too many wait or Redis is nearly full. Several API
// processes may together exceed the limit by what they accept in a quarter of a
// second.
type Gate struct {
	backlog Backlog
	load    Load
	limit   int64
	waiting atomic.Int64
	added   atomic.Int64 // bytes that this process has accepted since the latest reading
	latest  atomic.Pointer[reading]
}

// reading is what the gate knows of Redis.
type reading struct {
	used, limit int64   // bytes; limit is 0 when there is no bound
	settling    float64 // orders per second
	freeing     float64 // bytes per second; negative while Redis fills
}

// NewGate returns a gate that closes at limit waiting orders. It is open until
// Run has read for the first time.
func NewGate(b Backlog, l Load, limit int) *Gate {
	g := &Gate{backlog: b, load: l, limit: int64(limit)}
	g.latest.Store(&reading{})
	return g
}

// Run reads how much waits and how full Redis is until ctx ends. While Redis is
// away the last reading stands.
func (g *Gate) Run(ctx context.Context) error {
	tick := time.NewTicker(gateInterval)
	defer tick.Stop()
	var settled, used meter
	for {
		g.read(ctx, &settled, &used)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Gate) read(ctx context.Context, settled, used *meter) {
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	if n, err := g.backlog.Backlog(ctx); err == nil {
		g.waiting.Store(n)
	}
	now := *g.latest.Load()
	added := g.added.Load()
	if n, limit, err := g.load.Memory(ctx); err == nil {
		g.added.Add(-added) // what was accepted before the question is in the answer
		now.used, now.limit, now.freeing = n, limit, -used.add(n, time.Now())
	}
	if n, err := g.load.Settled(ctx); err == nil {
		now.settling = settled.add(n, time.Now())
	}
	g.latest.Store(&now)
}

// Admit takes a place for an order of the queue that needs so many bytes of Redis,
// or returns *order.BusyError when there is none, with the time after which there
// should be at the rate of the last seconds.
func (g *Gate) Admit(q order.Queue, bytes int64) error {
	now := g.latest.Load()
	used := now.used + g.added.Load()
	if most := now.limit / 100 * q.Spec().MemoryPercent; now.limit > 0 && used > most {
		return &order.BusyError{Reason: order.BusyMemory, RetryAfter: after(float64(used-most), now.freeing)}
	}
	waiting := g.waiting.Add(1)
	if waiting <= g.limit {
		g.added.Add(bytes)
		return nil
	}
	g.Leave()
	excess := waiting - g.limit + g.limit*headroom/100
	return &order.BusyError{Reason: order.BusyQueues, RetryAfter: after(float64(excess), now.settling)}
}

// Leave gives the place back of an order that does not wait after all.
func (g *Gate) Leave() { g.waiting.Add(-1) }

// after is the time in which an excess is gone, in whole seconds.
func after(excess, perSecond float64) time.Duration {
	if perSecond <= 0 {
		return stillRetryAfter
	}
	wait := min(excess/perSecond, maxRetryAfter.Seconds())
	return max(minRetryAfter, time.Duration(wait*float64(time.Second)).Round(time.Second))
}
