// Package stats combines the ledger's counters and the depths of the queues into one
// snapshot of the system.
//
// It receives totals and depths and returns snapshots. It keeps the totals of the last
// minutes, from which it computes rates. Samples of snapshots are durable after it, in the
// ledger, and nothing else.
package stats

import (
	"context"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// Snapshot is the state of the whole system at one moment.
type Snapshot struct {
	Totals
	// Depths is the content of each queue.
	Depths map[order.Queue]Depth
	// WorkerPool is the workers that are alive.
	WorkerPool
	// Memory is that of Redis, or zero if Redis does not reveal it.
	Memory Memory
	// Fulfilment is how the shop answers.
	Fulfilment Fulfilment
	// Gone is the workers of the last hour that do not run any more, the latest first.
	Gone []GoneWorker
	// Archive is what the archive lacks.
	Archive ArchiveBacklog
	// Throughput is how many orders per second were decided in about the last ten seconds.
	Throughput float64
	// CompletedRate and FailedRate are how many completed and failed, likewise.
	CompletedRate, FailedRate float64
	Trend
	// Recent is the durations over all queues of the last five minutes, or of all time if
	// no order was decided in that time.
	Recent Durations
	// Uptime is how long this process has been running.
	Uptime time.Duration
}

// Trend is what the process has seen over the last minutes.
type Trend struct {
	// Seen is whether it has looked for a minute.
	Seen bool
	// Decided is how many orders were decided in about the last minute.
	Decided int64
	// Growing is whether more orders were accepted than decided in the last five minutes.
	Growing bool
	// Poison is how many orders failed in the last five minutes because they kill workers.
	Poison int64
}

// Durations is how long orders took; see Totals for the three measures.
type Durations struct {
	QueueWait, Processing, EndToEnd Histogram
}

const (
	// minElapsed is the shortest time over which a rate is meaningful: right after the
	// start, one batch would count as a thousand orders a second.
	minElapsed = time.Second
	// sampleInterval is how often totals are remembered.
	sampleInterval = 5 * time.Second
	// rateWindow is the time over which throughput is measured.
	rateWindow = 10 * time.Second
	// decidedWindow is the time in which an order should be decided while any wait.
	decidedWindow = time.Minute
	// latencyWindow is the time over which durations are measured. It bounds the samples
	// to 61.
	latencyWindow = 5 * time.Minute
)

// Reporter makes snapshots. It is safe for concurrent use.
type Reporter struct {
	ledger  Ledger
	queues  Queues
	started time.Time

	mu      sync.Mutex
	samples []Totals // oldest first
	since   dated
	last    Snapshot // of several books, for what cannot be read next time
}

// New returns a reporter whose process has just started.
func New(l Ledger, q Queues) *Reporter {
	return &Reporter{ledger: l, queues: q, started: time.Now(), since: dated{}}
}

// Run samples totals until ctx ends, so that snapshots can have rates. While Redis is
// unavailable it takes no samples.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(sampleInterval)
	defer tick.Stop()
	for {
		if t, err := r.ledger.Totals(ctx); err == nil {
			r.remember(t)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// remember ignores totals that lack a book: with the next ones, all its orders would seem
// to be new.
func (r *Reporter) remember(t Totals) {
	if t.Lack() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, t)
	for len(r.samples) > 1 && t.At.Sub(r.samples[0].At) > latencyWindow {
		r.samples = r.samples[1:]
	}
}

// Verdict judges the facts. A verdict whose beginning the facts do not say is dated by
// when this process first saw it.
func (r *Reporter) Verdict(f Facts) Verdict {
	all := f.verdicts()
	r.mu.Lock()
	r.since.date(all, time.Now().UTC())
	r.mu.Unlock()
	return f.first(all)
}

// before returns the newest sample that is at least as old as the window, or the oldest
// one. ok is false when there is none. A sample that counts more than now does belongs to
// an earlier ledger and is ignored.
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

// rates returns how many orders a second were decided, completed and failed.
func (r *Reporter) rates(now Totals) (decided, completed, failed float64) {
	earlier, ok := r.before(now, rateWindow)
	elapsed := now.At.Sub(earlier.At)
	if !ok || elapsed < minElapsed {
		return 0, 0, 0
	}
	rate := func(from, to int64) float64 { return max(0, float64(to-from)/elapsed.Seconds()) }
	return rate(earlier.decisions(), now.decisions()),
		rate(earlier.ByStatus[order.StatusCompleted], now.ByStatus[order.StatusCompleted]),
		rate(earlier.ByStatus[order.StatusFailed], now.ByStatus[order.StatusFailed])
}

func (r *Reporter) trend(now Totals) (t Trend) {
	if earlier, ok := r.before(now, decidedWindow); ok {
		t.Decided = now.decisions() - earlier.decisions()
		t.Seen = now.At.Sub(earlier.At) >= decidedWindow
	}
	if earlier, ok := r.before(now, latencyWindow-sampleInterval); ok {
		t.Growing = now.Accepted-earlier.Accepted > now.decisions()-earlier.decisions()
		t.Poison = max(0, now.Repairs[order.RepairPoisonOrder]-earlier.Repairs[order.RepairPoisonOrder])
	}
	return t
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

// Waiting is how many orders wait for a worker in all queues.
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

// MeanProcessing is the average duration of the attempts that reached an outcome, of all
// time.
func (s Snapshot) MeanProcessing() time.Duration { return sum(s.Processing).Mean() }
