package stats

import (
	"math"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// Totals is the ledger's counters at one moment.
type Totals struct { //nolint:recvcheck // totals are a value, and Add sums them up
	// At is the moment, by the clock of Redis.
	At time.Time
	// Accepted counts all orders ever accepted.
	Accepted int64
	// Attempts counts all attempts ever begun.
	Attempts int64
	// Requeued counts the orders whose missing task was enqueued again.
	Requeued int64
	// Repairs counts the repairs by kind, including Requeued.
	Repairs map[order.Repair]int64
	// Retried counts the retries of failed and rejected orders.
	Retried int64
	// RetriedFrom counts them by the status that the orders had.
	RetriedFrom map[order.Status]int64
	// ByStatus counts the orders in each status. Settled orders stay counted after their
	// records have been removed.
	ByStatus map[order.Status]int64
	// Indexed is the size of each unsettled status's index.
	Indexed map[order.Status]int64
	// QueueWait, Processing and EndToEnd are the durations of orders by queue: until the
	// first attempt, of the attempt that reached the outcome, and until the outcome. They
	// begin when the order could first be processed: at its acceptance, at its scheduled
	// time, or at its last retry.
	QueueWait, Processing, EndToEnd map[order.Queue]Histogram
	// Books are the parts of several books, by number; empty for one book.
	Books []BookTotals
}

// BookTotals is the part of a book in the totals.
type BookTotals struct {
	Accepted  int64 // orders ever accepted
	Unsettled int64 // orders that have no outcome yet
	Drift     int64 // see Totals.Drift
	Away      bool  // the book did not answer: the part is the last that was known of it
}

// Away counts the books that did not answer.
func (t Totals) Away() int {
	n := 0
	for _, b := range t.Books {
		if b.Away {
			n++
		}
	}
	return n
}

// Lack reports whether nothing is known of one of the books.
func (t Totals) Lack() bool {
	return slices.ContainsFunc(t.Books, func(b BookTotals) bool { return b.Away && b.Accepted == 0 })
}

// Add adds the totals of a book. The maps of t must be there.
func (t *Totals) Add(book Totals) {
	if book.At.After(t.At) {
		t.At = book.At
	}
	t.Accepted += book.Accepted
	t.Attempts += book.Attempts
	t.Requeued += book.Requeued
	t.Retried += book.Retried
	addAll(t.Repairs, book.Repairs)
	addAll(t.RetriedFrom, book.RetriedFrom)
	addAll(t.ByStatus, book.ByStatus)
	addAll(t.Indexed, book.Indexed)
	for _, q := range order.Queues() {
		t.QueueWait[q] = t.QueueWait[q].Add(book.QueueWait[q])
		t.Processing[q] = t.Processing[q].Add(book.Processing[q])
		t.EndToEnd[q] = t.EndToEnd[q].Add(book.EndToEnd[q])
	}
}

func addAll[K comparable](sums, more map[K]int64) {
	for name, n := range more {
		sums[name] += n
	}
}

// Unsettled counts the orders that have no outcome yet.
func (t Totals) Unsettled() (n int64) {
	for s, count := range t.ByStatus {
		if !s.Settled() {
			n += count
		}
	}
	return n
}

// Drift is how far the ledger is from balancing: the difference between the accepted
// orders and the sum over all statuses, plus the difference between the count and the
// index of each unsettled status. Of several books it is the sum. It is 0 unless something
// is wrong.
func (t Totals) Drift() (drift int64) {
	if len(t.Books) > 0 {
		for _, b := range t.Books {
			drift += b.Drift
		}
		return drift
	}
	drift = t.Accepted
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

// decisions counts how often an order was decided. Unlike Processed, it does not fall when
// an order is retried.
func (t Totals) decisions() int64 { return sum(t.EndToEnd).Count() }

const (
	// Buckets is how many buckets a Histogram has.
	Buckets = 128
	// firstBound is the upper bound of bucket 0. The last bound is above four days; longer
	// durations count into the last bucket.
	firstBound = 100 * time.Microsecond
	// bucketsPerDoubling makes each bound 19 % larger than the one before it.
	bucketsPerDoubling = 4
)

// Histogram counts durations in buckets whose bounds grow by 19 %, which is the precision
// of its quantiles.
type Histogram struct {
	// Counts is the number of observations in each bucket.
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

// Add returns the sum of both histograms.
func (h Histogram) Add(other Histogram) Histogram {
	for i, c := range other.Counts {
		h.Counts[i] += c
	}
	h.Sum += other.Sum
	return h
}

// Since returns the observations that were added after an earlier copy of the histogram.
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
