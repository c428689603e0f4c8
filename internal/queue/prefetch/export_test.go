package prefetch

import (
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

// Fetch fetches tasks of a queue as a server does that has asked for one before.
func (p *Prefetcher) Fetch(q order.Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own := p.buffers[q]; !own.fetching && own.call.keys != nil {
		_ = p.fetchUnlocked(own)
	}
}

// Buffered is how many tasks are buffered.
func (p *Prefetcher) Buffered() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buffers {
		n += len(b.tasks)
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
	p.buffers[q].begun = begun
	p.measurePace()
	return p.buffers[q].pace
}
