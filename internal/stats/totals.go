package stats

import (
	"math"
	"time"

	"orderprocessor/internal/order"
)

// Totals is what the ledger's counters say at one moment.
type Totals struct {
	// At is the moment, by the clock of Redis.
	At time.Time
	// Accepted counts all orders ever accepted.
	Accepted int64
	// Attempts counts all attempts ever begun.
	Attempts int64
	// Requeued counts the orders without a task that reconcile gave a new one.
	Requeued int64
	// Repairs counts everything that reconcile has put right, Requeued among it.
	Repairs map[order.Repair]int64
	// Retried counts the retries of failed and rejected orders.
	Retried int64
	// ByStatus counts the orders in each status. Settled orders stay counted
	// when their records leave after the retention.
	ByStatus map[order.Status]int64
	// Indexed is the size of each unsettled status's index.
	Indexed map[order.Status]int64
	// QueueWait, Processing and EndToEnd are the durations of orders by queue:
	// until the first attempt, of the attempt that brought the outcome, and until
	// the outcome. They begin when the order could first be worked: at its
	// acceptance, at the time it was scheduled for, or at its last retry.
	QueueWait, Processing, EndToEnd map[order.Queue]Histogram
}

// Drift is how far the books are from balancing: the difference between the
// accepted orders and the sum over all statuses, plus the difference between
// each unsettled status's count and its index. It is 0 unless something is
// wrong.
func (t Totals) Drift() int64 {
	drift := t.Accepted
	for _, n := range t.ByStatus {
		drift -= n
	}
	drift = max(drift, -drift)
	for s, n := range t.Indexed {
		drift += max(n-t.ByStatus[s], t.ByStatus[s]-n)
	}
	return drift
}

// Processed counts the orders that are decided: completed, rejected or failed.
func (t Totals) Processed() int64 {
	return t.ByStatus[order.StatusCompleted] + t.ByStatus[order.StatusRejected] + t.ByStatus[order.StatusFailed]
}

// decisions counts how often an order was decided. A retry takes its order out of
// Processed again, but never a decision back.
func (t Totals) decisions() int64 { return sum(t.EndToEnd).Count() }

const (
	// Buckets is how many buckets a Histogram has.
	Buckets = 128
	// firstBound is the upper bound of bucket 0. The last bound is above four
	// days; what takes longer counts into the last bucket.
	firstBound = 100 * time.Microsecond
	// bucketsPerDoubling makes each bound 19 % larger than the one before it.
	bucketsPerDoubling = 4
)

// Histogram counts durations in buckets whose bounds grow by 19 %, which is
// how exact its quantiles are.
type Histogram struct {
	// Counts holds the observations of each bucket.
	Counts [Buckets]int64
	// Sum is the sum of all observed durations.
	Sum time.Duration
}

// Bound is the upper bound of bucket i.
func Bound(i int) time.Duration {
	return time.Duration(math.Round(float64(firstBound) * math.Exp2(float64(i)/bucketsPerDoubling)))
}

// Count is the number of observations.
func (h Histogram) Count() int64 {
	var n int64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Mean is the average duration, exact, or zero without observations.
func (h Histogram) Mean() time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	return h.Sum / time.Duration(n)
}

// Quantile returns a bound that at least the share q of the observations does
// not exceed, or zero without observations. q is between 0 and 1.
func (h Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(n)))
	for i, c := range h.Counts {
		if rank -= c; rank <= 0 {
			return Bound(i)
		}
	}
	return Bound(Buckets - 1)
}

// Add returns the observations of both histograms together.
func (h Histogram) Add(other Histogram) Histogram {
	for i, c := range other.Counts {
		h.Counts[i] += c
	}
	h.Sum += other.Sum
	return h
}

// Since returns the observations made after an earlier reading of the same
// histogram.
func (h Histogram) Since(earlier Histogram) Histogram {
	for i, c := range earlier.Counts {
		h.Counts[i] -= c
	}
	h.Sum -= earlier.Sum
	return h
}

func sum(byQueue map[order.Queue]Histogram) Histogram {
	var all Histogram
	for _, h := range byQueue {
		all = all.Add(h)
	}
	return all
}
