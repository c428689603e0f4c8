// Package stats puts the ledger's counters and the depths of the queues
// together into one picture of now.
//
// It receives totals and depths and hands on snapshots. It owns a short memory
// of earlier totals, to tell rates; nothing is durable after it.
package stats

import (
	"context"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// Depth is what one queue holds, in tasks.
type Depth struct {
	// Pending tasks wait for a worker.
	Pending int64
	// Active tasks are with a worker.
	Active int64
	// Scheduled tasks wait for a time set at submission.
	Scheduled int64
	// Retry tasks wait for their next attempt.
	Retry int64
	// Archived tasks failed for good; Asynq keeps the newest of them.
	Archived int64
	// Paused says that workers take nothing from the queue.
	Paused bool
	// OldestPending is how long the first task in the line has waited.
	OldestPending time.Duration
}

// Backlog is how many of the tasks wait, for a worker or for their time.
// Admission goes by it.
func (d Depth) Backlog() int64 { return d.Pending + d.Retry + d.Scheduled }

// Fleet is the workers that are alive.
type Fleet struct {
	// Workers is how many processes there are.
	Workers int
	// Slots is how many orders they can work at once.
	Slots int
}

// Memory is what Redis uses of its memory, in bytes.
type Memory struct {
	// Used is how much it uses.
	Used int64
	// Limit is how much it may use; 0 when there is no bound.
	Limit int64
}

// Books tells the totals of the ledger, and what it takes to keep them.
type Books interface {
	Totals(ctx context.Context) (Totals, error)
	Memory(ctx context.Context) (used, limit int64, err error)
}

// Queues tells what is in the queues and who works on it.
type Queues interface {
	Depths(ctx context.Context) (map[order.Queue]Depth, error)
	Workers(ctx context.Context) (Fleet, error)
}

// Snapshot is the state of the whole system at one moment.
type Snapshot struct {
	Totals
	// Depths is what each queue holds.
	Depths map[order.Queue]Depth
	// Fleet is who works on them.
	Fleet
	// Memory is that of the Redis that holds all of it, zero where it does not tell.
	Memory Memory
	// Throughput is how many orders per second were decided lately, over the
	// last ten seconds or so.
	Throughput float64
	// Recent is the durations over all queues of the last five minutes, or since
	// the books began if no order was decided lately.
	Recent Durations
	// Uptime is how long this process has run.
	Uptime time.Duration
}

// Durations says how long orders took; see Totals for the three measures.
type Durations struct {
	QueueWait, Processing, EndToEnd Histogram
}

const (
	// minElapsed is the shortest time over which a rate means anything: a batch would
	// be a thousand a second for a process that has just begun.
	minElapsed = time.Second
	// sampleInterval is how often totals are remembered.
	sampleInterval = 5 * time.Second
	// rateWindow is how far back throughput looks.
	rateWindow = 10 * time.Second
	// latencyWindow is how far back durations look; it bounds the memory to 61
	// samples.
	latencyWindow = 5 * time.Minute
)

// Reporter makes snapshots. It is safe for concurrent use.
type Reporter struct {
	books   Books
	queues  Queues
	started time.Time

	mu      sync.Mutex
	samples []Totals // oldest first
}

// New returns a reporter whose process has just started.
func New(b Books, q Queues) *Reporter {
	return &Reporter{books: b, queues: q, started: time.Now()}
}

// Run remembers totals until ctx ends, so that snapshots can tell rates. While
// Redis is away there is nothing to remember.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(sampleInterval)
	defer tick.Stop()
	for {
		if t, err := r.books.Totals(ctx); err == nil {
			r.remember(t)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (r *Reporter) remember(t Totals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, t)
	for len(r.samples) > 1 && t.At.Sub(r.samples[0].At) > latencyWindow {
		r.samples = r.samples[1:]
	}
}

// Snapshot asks the ledger and the queues. It returns order.ErrUnavailable when
// Redis could not be asked.
func (r *Reporter) Snapshot(ctx context.Context) (Snapshot, error) {
	totals, err := r.books.Totals(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	depths, err := r.queues.Depths(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	fleet, err := r.queues.Workers(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Totals: totals, Depths: depths, Fleet: fleet, Uptime: time.Since(r.started)}
	s.Memory.Used, s.Memory.Limit, _ = r.books.Memory(ctx) // a Redis may refuse to tell, and is no worse for it
	s.Throughput = r.throughput(totals)
	s.Recent = r.recent(totals)
	return s, nil
}

// before returns the newest remembered totals that are at least as old as the
// window, or the oldest there are; ok is false when there are none. Totals that
// count more than now does are of books that are gone.
func (r *Reporter) before(now Totals, window time.Duration) (t Totals, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sample := range r.samples {
		if sample.Accepted > now.Accepted || sample.decisions() > now.decisions() {
			continue
		}
		if ok && now.At.Sub(sample.At) < window {
			break
		}
		t, ok = sample, true
	}
	return t, ok
}

func (r *Reporter) throughput(now Totals) float64 {
	earlier, ok := r.before(now, rateWindow)
	elapsed := now.At.Sub(earlier.At)
	if !ok || elapsed < minElapsed {
		return 0
	}
	return float64(now.decisions()-earlier.decisions()) / elapsed.Seconds()
}

func (r *Reporter) recent(now Totals) Durations {
	all := Durations{
		QueueWait: sum(now.QueueWait), Processing: sum(now.Processing), EndToEnd: sum(now.EndToEnd),
	}
	earlier, ok := r.before(now, latencyWindow)
	if !ok {
		return all
	}
	d := Durations{
		QueueWait:  all.QueueWait.Since(sum(earlier.QueueWait)),
		Processing: all.Processing.Since(sum(earlier.Processing)),
		EndToEnd:   all.EndToEnd.Since(sum(earlier.EndToEnd)),
	}
	if d.EndToEnd.Count() == 0 {
		return all
	}
	return d
}

// Waiting is how many orders wait in the queues.
func (s Snapshot) Waiting() int64 {
	var n int64
	for _, d := range s.Depths {
		n += d.Pending
	}
	return n
}

// Backlog is how many orders wait in all queues, for a worker or for their time.
func (s Snapshot) Backlog() int64 {
	var n int64
	for _, d := range s.Depths {
		n += d.Backlog()
	}
	return n
}

// MeanProcessing is the average duration of the attempts that brought an
// outcome, since the books began.
func (s Snapshot) MeanProcessing() time.Duration { return sum(s.Processing).Mean() }
