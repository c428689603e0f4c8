package prefetch

import (
	"cmp"
	"context"
	"time"

	"orderprocessor/internal/order"
)

// The SHA-1s of the scripts of Asynq that are replaced.
const (
	EnqueueSHA = enqueueSHA
	DequeueSHA = dequeueSHA
	DoneSHA    = doneSHA
)

// Poll is Run without listening for announcements.
func (p *Prefetcher) Poll(ctx context.Context) { p.poll(ctx); p.stop() }

// Listen is the part of Run that listens for announcements.
func (p *Prefetcher) Listen(ctx context.Context) { p.listen(ctx) }

// Forward makes the due tasks of one of Asynq's queues pending.
func (p *Prefetcher) Forward(ctx context.Context, name, set string) { p.forward(ctx, name, set) }

// Fetch fetches tasks of a queue as a server does that has asked for one before.
func (p *Prefetcher) Fetch(q order.Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.queues[q]
	if b := cmp.Or(p.fetchable(own, 0), own.buffers[0]); !own.fetching.has(b.book) {
		p.startFetch(b, func(error) {})
	}
}

// Buffered is how many tasks are buffered.
func (p *Prefetcher) Buffered() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		n += q.buffered
	}
	return n
}

// SetMaxAge makes tasks old at another age than a second.
func (p *Prefetcher) SetMaxAge(age time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.maxAge = age
}

// MeasurePace measures the pace of a queue of which so many orders were begun since the
// last time.
func (p *Prefetcher) MeasurePace(q order.Queue, begun int) (pace int) {
	p.queues[q].begun = begun
	p.measurePace()
	return p.queues[q].pace
}
