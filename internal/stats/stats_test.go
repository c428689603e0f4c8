package stats_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSystem is the ledger and the queues. The tests that use it run in a synctest bubble,
// where time is fake.
type fakeSystem struct {
	mu        sync.Mutex
	settled   int64           // decisions, of as many orders
	retried   int64           // of these orders, waiting again
	durations stats.Histogram // of the default queue, in all three measures
	depths    map[order.Queue]stats.Depth
	pool      stats.WorkerPool

	fulfilment stats.Fulfilment
	gone       []stats.GoneWorker
	used       int64 // memory, of 100

	books []stats.BookTotals

	totalsErr, depthsErr, poolErr, fulfilmentErr error
}

func (s *fakeSystem) Totals(context.Context) (stats.Totals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byQueue := map[order.Queue]stats.Histogram{order.QueueDefault: s.durations}
	return stats.Totals{
		At: time.Now(), Accepted: s.settled, Retried: s.retried,
		ByStatus:    map[order.Status]int64{order.StatusFailed: s.settled - s.retried, order.StatusPending: s.retried},
		RetriedFrom: map[order.Status]int64{order.StatusFailed: s.retried},
		QueueWait:   byQueue, Processing: byQueue, EndToEnd: byQueue, Books: s.books,
	}, s.totalsErr
}

func (s *fakeSystem) Depths(context.Context) (map[order.Queue]stats.Depth, error) {
	return s.depths, s.depthsErr
}

func (s *fakeSystem) Workers(context.Context) (stats.WorkerPool, error) { return s.pool, s.poolErr }

func (s *fakeSystem) Memory(context.Context) (used, limit int64, err error) { return s.used, 100, nil }

func (s *fakeSystem) Fulfilment(context.Context, time.Time) (stats.Fulfilment, error) {
	return s.fulfilment, s.fulfilmentErr
}

func (s *fakeSystem) GoneWorkers(context.Context, time.Time) ([]stats.GoneWorker, error) {
	return s.gone, nil
}

func (s *fakeSystem) ArchiveBacklog(context.Context) (stats.ArchiveBacklog, error) {
	return stats.ArchiveBacklog{Orders: 3}, nil
}

// settle settles n orders that each took d.
func (s *fakeSystem) settle(n int, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.settled++
		s.durations = s.durations.Add(observe(d))
	}
}

// retry makes n of the orders wait again.
func (s *fakeSystem) retry(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retried += n
}

// withReporter runs a reporter over a fake system in a bubble.
func withReporter(t *testing.T, test func(t *testing.T, s *fakeSystem, r *stats.Reporter)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeSystem{}
		r := stats.New(s, s)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		test(t, s, r)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// pass lets fake time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func snapshot(t *testing.T, r *stats.Reporter) stats.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSnapshot compares a snapshot with the ledger and the queues.
func TestSnapshot(t *testing.T) {
	withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
		t.Helper()
		s.settle(3, time.Second)
		s.settle(1, 3*time.Second)
		s.pool = stats.WorkerPool{Workers: 2, Slots: 64}
		s.depths = map[order.Queue]stats.Depth{
			order.QueueCritical: {Pending: 1, Active: 10, OldestPending: time.Minute},
			order.QueueLow:      {Pending: 4, Scheduled: 100, Retry: 100, Archived: 100, Paused: true},
		}
		s.fulfilment = stats.Fulfilment{State: order.BreakerOpen, Taken: 3}
		s.used = 70
		s.gone = []stats.GoneWorker{{Name: "w1"}}
		pass(90 * time.Second)
		got := snapshot(t, r)
		totals, _ := s.Totals(t.Context())
		want := stats.Snapshot{Totals: totals, Depths: s.depths, WorkerPool: stats.WorkerPool{Workers: 2, Slots: 64}, Memory: stats.Memory{Used: 70, Limit: 100}, Uptime: 90 * time.Second, Fulfilment: s.fulfilment, Gone: s.gone, Archive: stats.ArchiveBacklog{Orders: 3}, Trend: stats.Trend{Seen: true}}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(stats.Snapshot{}, "Throughput", "Recent")); diff != "" {
			t.Errorf("snapshot (-want +got):\n%s", diff)
		}
		if got.Waiting() != 5 || got.Backlog() != 205 || got.MeanProcessing() != 1500*time.Millisecond {
			t.Errorf("%d waiting, backlog %d, mean %v", got.Waiting(), got.Backlog(), got.MeanProcessing())
		}
	})
}

// TestSumsOverQueues computes recent durations and the mean over all queues.
func TestSumsOverQueues(t *testing.T) {
	t.Parallel()
	totals := stats.Totals{
		At:         time.Now(),
		QueueWait:  map[order.Queue]stats.Histogram{"critical": observe(1), "low": observe(1, 2)},
		Processing: map[order.Queue]stats.Histogram{"critical": observe(4), "default": observe(8, 9)},
		EndToEnd:   map[order.Queue]stats.Histogram{"default": observe(16), "low": observe(32)},
	}
	got := snapshot(t, stats.New(fixed(totals), &fakeSystem{}))
	want := stats.Durations{QueueWait: observe(1, 1, 2), Processing: observe(4, 8, 9), EndToEnd: observe(16, 32)}
	if diff := cmp.Diff(want, got.Recent); diff != "" {
		t.Errorf("recent (-want +got):\n%s", diff)
	}
	if got.MeanProcessing() != 7 || got.Throughput != 0 { // a rate needs samples
		t.Errorf("mean %v, throughput %v", got.MeanProcessing(), got.Throughput)
	}
}

// fixed is a ledger that never changes.
type fixed stats.Totals

func (f fixed) Totals(context.Context) (stats.Totals, error) { return stats.Totals(f), nil }

func (fixed) Memory(context.Context) (used, limit int64, err error) { return 0, 0, nil }

func (fixed) Fulfilment(context.Context, time.Time) (f stats.Fulfilment, err error) { return f, nil }

func (fixed) ArchiveBacklog(context.Context) (stats.ArchiveBacklog, error) {
	return stats.ArchiveBacklog{}, nil
}

func (fixed) GoneWorkers(context.Context, time.Time) ([]stats.GoneWorker, error) { return nil, nil }

// TestThroughput checks over which time the rate is measured. It counts decisions: a retry
// does not lower it.
func TestThroughput(t *testing.T) {
	steady := func(s *fakeSystem, retried int64) {
		for range 60 {
			s.settle(7, 1)
			s.retry(retried)
			pass(time.Second)
		}
	}
	rows := []struct {
		name string
		work func(s *fakeSystem)
		want float64
	}{
		{"just started", func(s *fakeSystem) { s.settle(50, 1); pass(50 * time.Millisecond) }, 0},
		{"started less than a second ago", func(s *fakeSystem) { s.settle(500, 1); pass(900 * time.Millisecond) }, 0},
		{"after a second", func(s *fakeSystem) { s.settle(50, 1); pass(time.Second) }, 50},
		{"steady", func(s *fakeSystem) { steady(s, 0) }, 7},
		{"nothing lately", func(s *fakeSystem) { s.settle(1000, 1); pass(16 * time.Second) }, 0},
		{"a burst, over ten seconds or so", func(s *fakeSystem) {
			pass(time.Minute)
			s.settle(100, 1)
			pass(3 * time.Second)
		}, 100.0 / 13},
		{"a burst, over ten seconds exactly", func(s *fakeSystem) {
			pass(time.Minute)
			s.settle(100, 1)
			pass(5 * time.Second)
		}, 10},
		{"steady, and retried at the same rate", func(s *fakeSystem) { steady(s, 7) }, 7},
		{"steady, and all retried at once", func(s *fakeSystem) { steady(s, 0); s.retry(420) }, 7},
		{"a burst after all were retried", func(s *fakeSystem) {
			s.settle(100, 1)
			pass(time.Minute)
			s.retry(100)
			s.settle(30, 1)
			pass(5 * time.Second)
		}, 3},
		{"retried, and nothing decided lately", func(s *fakeSystem) {
			s.settle(1000, 1)
			pass(time.Minute)
			s.retry(500)
			pass(3 * time.Second)
		}, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
				t.Helper()
				row.work(s)
				if got := snapshot(t, r).Throughput; math.Abs(got-row.want) > 1e-9 {
					t.Errorf("throughput %v, want %v", got, row.want)
				}
			})
		})
	}
}

// TestRecent measures durations over the last five minutes, or over all time if no order was
// decided in them. A retry hides none of them.
func TestRecent(t *testing.T) {
	rows := []struct {
		name string
		work func(s *fakeSystem)
		want stats.Histogram
	}{
		{"nothing ever", func(*fakeSystem) { pass(time.Minute) }, stats.Histogram{}},
		{"since the start", func(s *fakeSystem) {
			s.settle(1, time.Second)
			pass(time.Minute)
			s.settle(2, time.Minute)
		}, observe(time.Second, time.Minute, time.Minute)},
		{"the old ones are gone", func(s *fakeSystem) {
			s.settle(5, time.Second)
			pass(6 * time.Minute)
			s.settle(2, time.Minute)
			pass(4 * time.Minute)
		}, observe(time.Minute, time.Minute)},
		{"the old ones are gone, and retried", func(s *fakeSystem) {
			s.settle(5, time.Second)
			pass(6 * time.Minute)
			s.retry(5)
			s.settle(2, time.Minute)
			pass(4 * time.Minute)
		}, observe(time.Minute, time.Minute)},
		{"nothing lately, so all", func(s *fakeSystem) {
			s.settle(2, time.Second)
			pass(time.Hour)
		}, observe(time.Second, time.Second)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
				t.Helper()
				row.work(s)
				want := stats.Durations{QueueWait: row.want, Processing: row.want, EndToEnd: row.want}
				if diff := cmp.Diff(want, snapshot(t, r).Recent); diff != "" {
					t.Errorf("recent (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestRedisAway returns errors, and continues to sample totals when Redis is back.
func TestRedisAway(t *testing.T) {
	away := errors.New("away")
	for name, set := range map[string]func(*fakeSystem, error){
		"totals": func(s *fakeSystem, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.totalsErr = err
		},
		"depths": func(s *fakeSystem, err error) { s.depthsErr = err },
		"slots":  func(s *fakeSystem, err error) { s.poolErr = err },
	} {
		t.Run(name, func(t *testing.T) {
			withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
				t.Helper()
				set(s, away)
				pass(time.Minute)
				got, err := r.Snapshot(t.Context())
				if !errors.Is(err, away) {
					t.Errorf("answered %v", err)
				}
				if diff := cmp.Diff(stats.Snapshot{}, got); diff != "" {
					t.Errorf("answered (-want +got):\n%s", diff)
				}
				set(s, nil)
				pass(time.Minute)
				s.settle(26, time.Second)
				pass(3 * time.Second)
				if got := snapshot(t, r).Throughput; got != 2 {
					t.Errorf("throughput %v, want 2", got)
				}
			})
		})
	}
}

// TestBooksAway takes snapshots while one of two books is away: with what is known, and
// without rates if nothing ever was known of it.
func TestBooksAway(t *testing.T) {
	withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
		t.Helper()
		s.mu.Lock()
		s.books = []stats.BookTotals{{Accepted: 7}, {Accepted: 5}}
		s.mu.Unlock()
		s.pool = stats.WorkerPool{Workers: 2, Slots: 64}
		s.fulfilment = stats.Fulfilment{State: order.BreakerOpen}
		s.depths = map[order.Queue]stats.Depth{order.QueueLow: {Pending: 5}}
		s.settle(12, time.Second)
		if got := snapshot(t, r); got.Away() != 0 || got.Slots != 64 || got.Fulfilment.State != order.BreakerOpen {
			t.Errorf("with all books: %+v", got.WorkerPool)
		}

		s.mu.Lock()
		s.books = []stats.BookTotals{{Accepted: 7}, {Accepted: 5, Away: true}}
		s.mu.Unlock()
		s.poolErr, s.fulfilmentErr, s.depthsErr = order.ErrUnavailable, order.ErrUnavailable, order.ErrUnavailable
		s.fulfilment, s.pool, s.depths = stats.Fulfilment{}, stats.WorkerPool{}, map[order.Queue]stats.Depth{order.QueueLow: {Pending: 3}}
		pass(20 * time.Second)
		s.settle(10, time.Second)
		got := snapshot(t, r)
		facts := stats.Facts{Snapshot: got}
		if got.Fulfilment.State != order.BreakerOpen || got.Waiting() != 3 || facts.WorkersKnown() || facts.Reason() != "" || got.Throughput != 1 {
			t.Errorf("%+v, reason %q, throughput %v", got, facts.Reason(), got.Throughput)
		}
		if v := facts.Verdict(); v.Cause != stats.CauseBooks || v.What != "1 of 2 books does not answer" {
			t.Errorf("verdict %+v", v)
		}

		s.mu.Lock()
		s.books[1].Accepted = 0
		s.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		late, ended := stats.New(s, s), make(chan error)
		go func() { ended <- late.Run(ctx) }()
		pass(20 * time.Second)
		s.mu.Lock()
		s.books = []stats.BookTotals{{Accepted: 7}, {Accepted: 5000}}
		s.mu.Unlock()
		s.settle(5000, time.Second)
		if got := snapshot(t, late).Throughput; got != 0 {
			t.Errorf("the orders of a book that was not known count as %v a second", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.fulfilmentErr = errors.New("a defect")
		if _, err := r.Snapshot(t.Context()); !errors.Is(err, s.fulfilmentErr) {
			t.Errorf("answered %v", err)
		}
	})
}

// TestNewLedger checks that a new ledger causes no negative rate.
func TestNewLedger(t *testing.T) {
	withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
		t.Helper()
		s.settle(100, time.Second)
		pass(time.Minute)
		s.mu.Lock()
		s.settled, s.durations = 0, stats.Histogram{}
		s.mu.Unlock()
		s.settle(2, 3*time.Second)
		got := snapshot(t, r)
		if got.Throughput < 0 || got.Recent.EndToEnd != s.durations {
			t.Errorf("throughput %v, %d recent orders", got.Throughput, got.Recent.EndToEnd.Count())
		}
	})
}
