package stats_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// TestPoints makes a point of each step that has a sample at both ends, and counts nothing
// back.
func TestPoints(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	at := func(step int) time.Time { return start.Add(time.Duration(step) * stats.SampleStep) }
	counts := func(n int64) stats.Counts {
		return stats.Counts{Accepted: 10 * n, Completed: 5 * n, Rejected: 3 * n, Failed: 2 * n, Cancelled: n}
	}
	sample := func(step int, n, held int64) stats.Sample {
		return stats.Sample{At: at(step), Counts: counts(n), Levels: stats.Levels{Held: held}}
	}
	point := func(step int, n, held int64) stats.Point {
		return stats.Point{At: at(step), Counts: counts(n), Levels: stats.Levels{Held: held}}
	}
	for name, row := range map[string]struct {
		samples []stats.Sample
		want    []stats.Point
	}{
		"none":             {nil, []stats.Point{}},
		"one":              {[]stats.Sample{sample(0, 100, 1)}, []stats.Point{}},
		"three":            {[]stats.Sample{sample(0, 100, 1), sample(1, 101, 2), sample(2, 104, 3)}, []stats.Point{point(1, 1, 2), point(2, 3, 3)}},
		"after a gap":      {[]stats.Sample{sample(0, 100, 1), sample(5, 900, 2), sample(6, 902, 3)}, []stats.Point{point(6, 2, 3)}},
		"Redis was reset":  {[]stats.Sample{sample(0, 100, 9), sample(1, 1, 0), sample(2, 2, 0)}, []stats.Point{point(1, 0, 0), point(2, 1, 0)}},
		"another distance": {[]stats.Sample{{At: start}, {At: start.Add(time.Second)}}, []stats.Point{}},
	} {
		if diff := cmp.Diff(row.want, stats.Points(row.samples, stats.SampleStep)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// saved is what a sampler has saved.
type saved struct {
	stats.Sample
	what string // of the verdict
}

// keeper keeps what a sampler saves.
type keeper struct {
	all []saved
	err error
}

func (k *keeper) SaveSample(_ context.Context, s stats.Sample, v stats.Verdict) error {
	if k.err == nil {
		k.all = append(k.all, saved{s, v.What})
	}
	return k.err
}

// since returns the moments of what was saved after the first n, in seconds of their minute.
func (k *keeper) since(n int) (seconds []int) {
	for _, s := range k.all[n:] {
		seconds = append(seconds, s.At.Second())
	}
	return seconds
}

// passTo lets fake time go by, and the sampler see what the test has changed: it asks
// whether it leads before it reads anything else.
func passTo(leads *atomic.Bool, d time.Duration) {
	leads.Store(leads.Load())
	pass(d)
}

// withSampler runs a sampler over a fake system in a bubble.
func withSampler(t *testing.T, test func(t *testing.T, s *fakeSystem, k *keeper, leads *atomic.Bool)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, k, leads := &fakeSystem{}, &keeper{}, &atomic.Bool{}
		sampler := stats.NewSampler(stats.New(s, s), k, leads.Load, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- sampler.Run(ctx) }()
		pass(3500 * time.Millisecond) // time begins with a minute
		test(t, s, k, leads)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestSampler takes a sample at the beginning of each step while its process leads and the
// sample can be saved, and soon after a failure.
func TestSampler(t *testing.T) {
	withSampler(t, func(t *testing.T, s *fakeSystem, k *keeper, leads *atomic.Bool) {
		t.Helper()
		check := func(when string, from int, want ...int) {
			t.Helper()
			if diff := cmp.Diff(want, k.since(from)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		passTo(leads, 5*time.Second)
		check("without leading", 0)
		leads.Store(true) // in the second half of a step
		passTo(leads, 22*time.Second)
		check("leading", 0, 10, 20, 30)
		k.err = order.ErrUnavailable
		passTo(leads, 11*time.Second) // 41.5 s
		k.err = nil
		passTo(leads, 10*time.Second)
		check("after a failure", 3, 40, 50)
		s.totalsErr = order.ErrUnavailable
		passTo(leads, 15*time.Second) // 66.5 s
		s.totalsErr = nil
		passTo(leads, 10*time.Second)
		check("when Redis was away", 5, 10)
		leads.Store(false)
		passTo(leads, time.Minute)
		check("not leading any more", 6)
	})
}

// TestSampleOfASnapshot compares a sample with what is known.
func TestSampleOfASnapshot(t *testing.T) {
	withSampler(t, func(t *testing.T, s *fakeSystem, k *keeper, leads *atomic.Bool) {
		t.Helper()
		s.settle(5, time.Second)
		s.retry(2)
		s.depths = map[order.Queue]stats.Depth{order.QueueLow: {Pending: 2, Active: 1, Retry: 7}}
		leads.Store(true)
		passTo(leads, 10*time.Second)
		want := stats.Sample{
			At: k.all[0].At, Counts: stats.Counts{Accepted: 5, Failed: 5},
			Levels: stats.Levels{Waiting: map[order.Queue]int64{order.QueueLow: 2}},
		}
		if diff := cmp.Diff(want, k.all[len(k.all)-1].Sample, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "At" }, cmp.Ignore())); diff != "" {
			t.Errorf("the sample (-want +got):\n%s", diff)
		}
	})
}

// TestSamplerJudges hands on the verdict, but none by a process that has just begun to lead
// or does not know it.
func TestSamplerJudges(t *testing.T) {
	withSampler(t, func(t *testing.T, s *fakeSystem, k *keeper, leads *atomic.Bool) {
		t.Helper()
		leads.Store(true) // before its first heartbeat
		passTo(leads, 2*time.Second)
		s.pool = stats.WorkerPool{Workers: 1, Slots: 4}
		passTo(leads, 10*time.Second)
		s.depths = map[order.Queue]stats.Depth{order.QueueLow: {Paused: true}}
		passTo(leads, 10*time.Second)
		s.depths = map[order.Queue]stats.Depth{order.QueueLow: {Pending: 1}} // whether it completes is not known yet
		passTo(leads, 10*time.Second)
		var got []string
		for _, one := range k.all {
			got = append(got, one.what)
		}
		if diff := cmp.Diff([]string{"", "All is well", "Paused: low", ""}, got); diff != "" {
			t.Errorf("verdicts (-want +got):\n%s", diff)
		}
	})
}
