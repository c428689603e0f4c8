package intake

import (
	"context"
	"sync/atomic"
	"time"

	"orderprocessor/internal/order"
)

const (
	// readInterval is the time between two readings of the load. In between,
	// admission adds what this process accepts.
	readInterval = 250 * time.Millisecond
	// readTimeout bounds one reading.
	readTimeout = time.Second
	// minRetryAfter and maxRetryAfter bound how long refused clients are asked to wait.
	minRetryAfter = time.Second
	maxRetryAfter = 2 * time.Minute
	// idleRetryAfter is how long they are asked to wait while nothing measurable drains.
	idleRetryAfter = 10 * time.Second
	// headroom is the part of the limit that should be free again when refused clients
	// return, in percent, so that they are not refused again.
	headroom = 5
)

// Backlog counts the orders that wait in all queues together.
type Backlog interface {
	Backlog(ctx context.Context) (int64, error)
}

// Load is how full Redis is and how many orders have been settled; see the methods of
// ledger.Ledger.
type Load interface {
	Memory(ctx context.Context) (used, limit int64, err error)
	Settled(ctx context.Context) (int64, error)
}

// Admission refuses orders while Redis is nearly full or, where Redis has no limit of its
// memory, while too many wait. Several API processes together may exceed the limit by what they accept in a quarter of a
// second. It is safe for concurrent use.
type Admission struct {
	backlog Backlog
	load    Load
	limit   int64
	waiting atomic.Int64
	added   atomic.Int64 // bytes that this process has accepted since the latest reading
	latest  atomic.Pointer[reading]
}

// reading is what admission knows of Redis.
type reading struct {
	used, limit int64   // bytes; limit is 0 when there is none
	settling    float64 // orders per second
	freeing     float64 // bytes per second; negative while Redis fills
}

// NewAdmission returns an admission of up to limit waiting orders, for a Redis without a
// limit of its memory. Until Run has read
// the load, it knows of no orders but its own.
func NewAdmission(b Backlog, l Load, limit int) *Admission {
	a := &Admission{backlog: b, load: l, limit: int64(limit)}
	a.latest.Store(&reading{})
	return a
}

// Run reads the load until ctx ends. While Redis is away the last reading counts.
func (a *Admission) Run(ctx context.Context) error {
	tick := time.NewTicker(readInterval)
	defer tick.Stop()
	var settled, used rate
	for {
		a.read(ctx, &settled, &used)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *Admission) read(ctx context.Context, settled, used *rate) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if n, err := a.backlog.Backlog(ctx); err == nil {
		a.waiting.Store(n)
	}
	now := *a.latest.Load()
	added := a.added.Load()
	if n, limit, err := a.load.Memory(ctx); err == nil {
		a.added.Add(-added) // Redis has counted what was accepted before the question
		now.used, now.limit, now.freeing = n, limit, -used.update(n, time.Now())
	}
	if n, err := a.load.Settled(ctx); err == nil {
		now.settling = settled.update(n, time.Now())
	}
	a.latest.Store(&now)
}

// Admit makes room for an order of the queue that needs so many bytes of Redis. Release
// gives the room back. Without room it returns *order.BusyError, with the time after
// which there should be room at the rate of the last seconds.
func (a *Admission) Admit(q order.Queue, bytes int64) error {
	now := a.latest.Load()
	used := now.used + a.added.Load()
	if most := now.limit / 100 * q.Spec().MemoryPercent; now.limit > 0 && used > most {
		return &order.BusyError{Queue: q, Reason: order.BusyMemory, RetryAfter: retryAfter(float64(used-most), now.freeing)}
	}
	waiting := a.waiting.Add(1)
	if waiting <= a.limit || now.limit > 0 {
		a.added.Add(bytes)
		return nil
	}
	a.Release()
	excess := waiting - a.limit + a.limit*headroom/100
	return &order.BusyError{Queue: q, Reason: order.BusyQueues, RetryAfter: retryAfter(float64(excess), now.settling)}
}

// Release gives back the room of an order that does not wait after all.
func (a *Admission) Release() { a.waiting.Add(-1) }

// retryAfter is the time in which an excess drains, in whole seconds.
func retryAfter(excess, perSecond float64) time.Duration {
	if perSecond <= 0 {
		return idleRetryAfter
	}
	wait := min(excess/perSecond, maxRetryAfter.Seconds())
	return max(minRetryAfter, time.Duration(wait*float64(time.Second)).Round(time.Second))
}
