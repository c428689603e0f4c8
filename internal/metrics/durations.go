package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// The ledger counts durations in 128 buckets, four to a doubling. Of their bounds a
// scrape has the doublings up to a minute and each fourfold from there on: 23 series
// for each queue and measure, whose quantiles are within a factor of two and four.
const (
	// fineStep and coarseStep are how many of the ledger's buckets go into one.
	fineStep, coarseStep = 4, 8
	// firstBucket has the bound 0.8 ms.
	firstBucket = 12
	// lastFine has the bound 52 s.
	lastFine = 76
	// lastBucket has the bound 60 hours.
	lastBucket = 124
)

// duration is one measure of how long orders took, by queue.
type duration struct {
	desc *prometheus.Desc
	of   func(now stats.Snapshot) map[order.Queue]stats.Histogram
}

func durations() []duration {
	return []duration{
		{
			booksDesc("queue_wait_seconds", "Time from when an order could first be worked until its first attempt.", "queue"),
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.QueueWait },
		},
		{
			booksDesc("processing_seconds", "Time of the attempts that brought an outcome.", "queue"),
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.Processing },
		},
		{
			booksDesc("end_to_end_seconds", "Time from when an order could first be worked until its outcome.", "queue"),
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.EndToEnd },
		},
	}
}

func (d duration) collect(now stats.Snapshot, out chan<- prometheus.Metric) {
	byQueue := d.of(now)
	for _, q := range order.Queues() {
		h := byQueue[q]
		out <- prometheus.MustNewConstHistogram(d.desc, whole(h.Count()), h.Sum.Seconds(), cumulated(h), string(q))
	}
}

// cumulated is how many observations are within each bound that is shown. What is
// above the last of them is in the count alone.
func cumulated(h stats.Histogram) map[float64]uint64 {
	within := map[float64]uint64{}
	var sum int64
	next := firstBucket
	for i, n := range h.Counts {
		sum += n
		if i != next || i > lastBucket {
			continue
		}
		within[seconds(stats.Bound(i))] = whole(sum)
		if next += fineStep; i >= lastFine {
			next = i + coarseStep
		}
	}
	return within
}

// seconds is as short in decimals as it can be, which d.Seconds() is not always: the
// bound is a label.
func seconds(d time.Duration) float64 { return float64(d) / float64(time.Second) }

// whole guards against counters that somebody has set below zero.
func whole(n int64) uint64 { return uint64(max(n, 0)) }
