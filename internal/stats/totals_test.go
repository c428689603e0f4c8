package stats_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// TestDrift counts every difference, so that two of them do not cancel out.
func TestDrift(t *testing.T) {
	t.Parallel()
	type counts = map[order.Status]int64
	rows := []struct {
		name     string
		accepted int64
		byStatus counts
		indexed  counts
		want     int64
	}{
		{"nothing yet", 0, nil, nil, 0},
		{"balanced", 6, counts{"pending": 1, "retrying": 2, "completed": 3}, counts{"pending": 1, "retrying": 2}, 0},
		{"settled orders need no index", 3, counts{"completed": 2, "failed": 1}, counts{"pending": 0}, 0},
		{"one lost", 3, counts{"pending": 2}, counts{"pending": 2}, 1},
		{"one too many", 1, counts{"pending": 2}, counts{"pending": 2}, 1},
		{"index too short", 2, counts{"pending": 2}, counts{"pending": 1}, 1},
		{"index too long", 2, counts{"pending": 2}, counts{"pending": 4}, 2},
		{"index of nothing", 0, nil, counts{"retrying": 3}, 3},
		{"errors do not cancel out", 2, counts{"pending": 2, "retrying": 1}, counts{"pending": 1, "retrying": 2}, 3},
	}
	for _, row := range rows {
		totals := stats.Totals{Accepted: row.accepted, ByStatus: row.byStatus, Indexed: row.indexed}
		if got := totals.Drift(); got != row.want {
			t.Errorf("%s: drift %d, want %d", row.name, got, row.want)
		}
	}
}

// TestSettled counts the orders that were decided, and no others.
func TestSettled(t *testing.T) {
	t.Parallel()
	byStatus, n := map[order.Status]int64{}, int64(1)
	want := int64(0)
	for _, s := range order.Statuses() {
		byStatus[s] = n
		if s == order.StatusCompleted || s == order.StatusRejected || s == order.StatusFailed {
			want += n
		}
		n *= 10
	}
	if got := (stats.Totals{ByStatus: byStatus}).Processed(); got != want {
		t.Errorf("settled %d, want %d", got, want)
	}
}

// TestBound checks the bounds: from 100 µs, 19 % apart, to above four days.
func TestBound(t *testing.T) {
	t.Parallel()
	if first, last := stats.Bound(0), stats.Bound(stats.Buckets-1); first != 100*time.Microsecond || last < 4*24*time.Hour {
		t.Errorf("bounds from %v to %v", first, last)
	}
	for i := 1; i < stats.Buckets; i++ {
		if ratio := float64(stats.Bound(i)) / float64(stats.Bound(i-1)); ratio < 1.189 || ratio > 1.190 {
			t.Errorf("bound %d is %.4f times the one before it", i, ratio)
		}
	}
	for i := 4; i < stats.Buckets; i++ {
		if off := stats.Bound(i) - 2*stats.Bound(i-4); off.Abs() > 2 {
			t.Errorf("bound %d is off twice bound %d by %v", i, i-4, off)
		}
	}
}

// observe counts durations as the ledger does, by searching.
func observe(durations ...time.Duration) stats.Histogram {
	var h stats.Histogram
	for _, d := range durations {
		i := 0
		for i < stats.Buckets-1 && d > stats.Bound(i) {
			i++
		}
		h.Counts[i]++
		h.Sum += d
	}
	return h
}

// drawDurations draws a few durations, short and long ones alike.
func drawDurations(t *rapid.T, label string) []time.Duration {
	exponent := rapid.Float64Range(1, float64(14)) // 10 ns to above a day
	d := rapid.Map(exponent, func(e float64) time.Duration { return time.Duration(math.Pow(10, e)) })
	return rapid.SliceOfN(d, 0, 50).Draw(t, label)
}

// TestQuantile compares every quantile with the exact one of the durations.
func TestQuantile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		durations := drawDurations(t, "durations")
		q := rapid.Float64Range(0.001, 1).Draw(t, "q")
		h := observe(durations...)
		got := h.Quantile(q)
		if len(durations) == 0 {
			if got != 0 || h.Mean() != 0 || h.Count() != 0 {
				t.Fatalf("nothing observed: quantile %v, mean %v, count %d", got, h.Mean(), h.Count())
			}
			return
		}
		slices.Sort(durations)
		exact := durations[int(math.Ceil(q*float64(len(durations))))-1]
		if got < exact || (exact > stats.Bound(0) && float64(got) > 1.19*float64(exact)+1) || got < stats.Bound(0) {
			t.Fatalf("quantile %v of %v is %v, exactly %v", q, durations, got, exact)
		}
		if higher := h.Quantile(1); higher < got {
			t.Fatalf("quantile %v is %v, above the largest, %v", q, got, higher)
		}
	})
}

// TestQuantileBeyondTheLastBound counts longer durations as the last bound.
func TestQuantileBeyondTheLastBound(t *testing.T) {
	t.Parallel()
	h := observe(time.Second, 1000*time.Hour)
	if got := h.Quantile(1); got != stats.Bound(stats.Buckets-1) {
		t.Errorf("quantile 1 is %v", got)
	}
	if got := h.Quantile(0.5); got < time.Second || got > 1190*time.Millisecond {
		t.Errorf("quantile 0.5 is %v", got)
	}
}

// TestMean checks that the mean is exact, whatever the buckets.
func TestMean(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		durations := drawDurations(t, "durations")
		var sum time.Duration
		for _, d := range durations {
			sum += d
		}
		want := sum / time.Duration(max(1, len(durations)))
		if got := observe(durations...).Mean(); got != want {
			t.Fatalf("mean %v, want %v", got, want)
		}
	})
}

// TestAddAndSince adds observations, and subtracts those of an earlier copy.
func TestAddAndSince(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDurations(t, "a"), drawDurations(t, "b")
		both, before, after := observe(slices.Concat(a, b)...), observe(a...), observe(b...)
		if diff := cmp.Diff(both, before.Add(after)); diff != "" {
			t.Fatalf("sum (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(after, both.Since(before)); diff != "" {
			t.Fatalf("difference (-want +got):\n%s", diff)
		}
		if both.Count() != before.Count()+after.Count() || both.Count() != int64(len(a)+len(b)) {
			t.Fatalf("%d observations of %d and %d", both.Count(), len(a), len(b))
		}
		if diff := cmp.Diff(observe(a...), before); diff != "" {
			t.Fatalf("Add or Since changed its receiver:\n%s", diff)
		}
	})
}
