package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// The ledger counts durations in 128 buckets, four per doubling. A scrape contains the
// bounds of every doubling up to a minute and of every second one above: 23 series per
// queue and measure, whose quantiles are exact within a factor of two and four.
const (
	// fineStep and coarseStep are how many buckets of the ledger form one.
	fineStep, coarseStep = 4, 8
	// firstBucket has the bound 0.8 ms.
	firstBucket = 12
	// lastFine has the bound 52 s.
	lastFine = 76
	// lastBucket has the bound 60 hours.
	lastBucket = 124
)

// durations lists the histograms of the ledger.
func durations() []figure {
	return []figure{
		histogram("queue_wait_seconds", "Time from when an order could first be processed until its first attempt.",
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.QueueWait }),
		histogram("processing_seconds", "Time of the attempts that brought an outcome.",
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.Processing }),
		histogram("end_to_end_seconds", "Time from when an order could first be processed until its outcome.",
			func(now stats.Snapshot) map[order.Queue]stats.Histogram { return now.EndToEnd }),
	}
}

func histogram(name, help string, read func(now stats.Snapshot) map[order.Queue]stats.Histogram) figure {
	desc := ledgerDesc(name, help, "queue")
	return figure{desc, func(now stats.Snapshot, out chan<- prometheus.Metric) {
		byQueue := read(now)
		for _, q := range order.Queues() {
			h := byQueue[q]
			out <- prometheus.MustNewConstHistogram(desc, whole(h.Count()), h.Sum.Seconds(), cumulated(h), string(q))
		}
	}}
}

// cumulated returns how many observations are within each bound. Those above the last
// bound are only in the total count.
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

// seconds returns the shortest decimal, which d.Seconds does not always do: the bound
// becomes a label.
func seconds(d time.Duration) float64 { return float64(d) / float64(time.Second) }

// whole protects against counters that somebody has set below zero.
func whole(n int64) uint64 { return uint64(max(n, 0)) }
