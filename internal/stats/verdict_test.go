package stats_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// noon is the time by the clock of Redis.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// well are the facts of a system with workers, a minute of history and no orders.
func well(with func(f *stats.Facts)) stats.Facts {
	f := stats.Facts{MaxBacklog: 1000, Snapshot: stats.Snapshot{
		Totals: stats.Totals{At: noon, ByStatus: map[order.Status]int64{}}, WorkerPool: stats.WorkerPool{Workers: 2, Slots: 128},
		Depths: map[order.Queue]stats.Depth{}, Trend: stats.Trend{Seen: true},
	}}
	with(&f)
	return f
}

func waiting(f *stats.Facts, d stats.Depth) { f.Depths[order.QueueDefault] = d }

// TestVerdict judges each state that something can be in.
func TestVerdict(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	down := stats.Fulfilment{
		State: order.BreakerOpen, Since: ago(time.Minute), FailingSince: ago(2 * time.Minute), Unanswered: 60, InARow: 60,
	}
	for _, row := range []struct {
		name  string
		with  func(f *stats.Facts)
		level stats.Level
		cause stats.Cause
		says  string // a part of the detail
	}{
		{"no orders", func(*stats.Facts) {}, stats.LevelGood, "", "All is well. No order waits"},
		{"orders complete", func(f *stats.Facts) {
			waiting(f, stats.Depth{Pending: 9, Active: 3})
			f.Decided, f.CompletedRate = 60, 1
		}, stats.LevelGood, "", "Completed a second: 1.0. Waiting: 9. With workers: 3."},
		{"Redis away", func(f *stats.Facts) { f.Unread = order.ErrUnavailable }, stats.LevelBad, stats.CauseRedis, "Redis is unavailable"},
		{"books away", func(f *stats.Facts) {
			f.Books = []stats.BookTotals{{Away: true}, {}, {Away: true}}
			f.WorkerPool = stats.WorkerPool{PoolUnknown: true}
		}, stats.LevelBad, stats.CauseBooks, "2 of 3 books do not answer. Their orders wait"},
		{"no worker", func(f *stats.Facts) {
			f.WorkerPool = stats.WorkerPool{}
			f.Gone = []stats.GoneWorker{{Name: "db-host-1-77-AB", LastSeen: ago(time.Hour / 2)}, {Name: "b-2"}}
		}, stats.LevelBad, stats.CauseNoWorker, "No worker is alive since 2026-07-01T11:30:00Z. Orders are accepted and wait. In the last hour there were 2; the last was 77-AB."},
		{"shop down", func(f *stats.Facts) { f.Fulfilment = down }, stats.LevelBad, stats.CauseShopDown, "The shop takes no orders since 2026-07-01T11:58:00Z. 60 of 60 calls failed"},
		{"shop down, and few call", func(f *stats.Facts) {
			f.Fulfilment = stats.Fulfilment{Errors: 3, InARow: 3, FailingSince: ago(time.Minute)}
		}, stats.LevelBad, stats.CauseShopDown, "since 2026-07-01T11:59:00Z. 3 of 3 calls failed in the last minute. Orders are tried again until"},
		{"two bad orders", func(f *stats.Facts) { f.Fulfilment = stats.Fulfilment{Errors: 3, InARow: 2} }, stats.LevelGood, "", ""},
		{"shop back", func(f *stats.Facts) {
			f.Fulfilment = stats.Fulfilment{State: order.BreakerHalfOpen, Taken: 9, Pace: 8, Since: ago(time.Second)}
		}, stats.LevelWarning, stats.CauseShopFailing, "now to 8 a second"},
		{"half of the calls fail", func(f *stats.Facts) {
			f.Fulfilment = stats.Fulfilment{Taken: 50, Errors: 50}
		}, stats.LevelWarning, stats.CauseShopFailing, "50 % of the calls to the shop fail"},
		{"shop limits", func(f *stats.Facts) {
			f.Fulfilment = stats.Fulfilment{Taken: 300, Later: 30, Pace: 5}
		}, stats.LevelWarning, stats.CauseShopPaced, "about 5 a second"},
		{"drift", func(f *stats.Facts) { f.Accepted = 3 }, stats.LevelBad, stats.CauseDrift, "by 3"},
		{"memory short", func(f *stats.Facts) { f.Memory = stats.Memory{Used: 65, Limit: 100} }, stats.LevelWarning, stats.CauseMemory, "65 % of its limit is used, and new orders of low are refused"},
		{"memory full", func(f *stats.Facts) { f.Memory = stats.Memory{Used: 90, Limit: 100} }, stats.LevelBad, stats.CauseMemory, "All new orders are refused"},
		{"queues full", func(f *stats.Facts) {
			waiting(f, stats.Depth{Pending: 1000})
			f.Decided = 1
		}, stats.LevelBad, stats.CauseQueuesFull, "refused with 503"},
		{"archive behind", func(f *stats.Facts) {
			f.Archive = stats.ArchiveBacklog{Orders: 5, Until: ago(3 * time.Minute), Behind: 3 * time.Minute}
			f.Memory = stats.Memory{Used: 40, Limit: 100}
		}, stats.LevelWarning, stats.CauseArchive, "The archive is 3m0s behind since 2026-07-01T11:57:00Z. No order is lost, and none leaves Redis before the archive has it: 40 % of the memory are used"},
		{"poison", func(f *stats.Facts) { f.Poison = 1 }, stats.LevelWarning, stats.CausePoison, "killed three workers"},
		{"paused", func(f *stats.Facts) { waiting(f, stats.Depth{Pending: 5, Paused: true, OldestPending: time.Hour}) }, stats.LevelWarning, stats.CausePaused, "Paused: default"},
		{"a worker killed", func(f *stats.Facts) {
			f.Gone = []stats.GoneWorker{{Name: "a-1", LastSeen: ago(time.Minute)}, {Name: "b-1", LastSeen: ago(time.Minute), Stopped: true}}
		}, stats.LevelWarning, stats.CauseWorkerGone, "Workers are gone: 1 of 4 in the last hour since 2026-07-01T11:59:00Z"},
		{"a worker killed a while ago", func(f *stats.Facts) { f.Gone = []stats.GoneWorker{{Name: "a-1", LastSeen: ago(time.Hour / 2)}} }, stats.LevelGood, "", ""},
		{"long wait", func(f *stats.Facts) {
			waiting(f, stats.Depth{Pending: 5, OldestPending: 3 * time.Minute})
			f.Decided = 1
		}, stats.LevelWarning, stats.CauseLate, "Orders wait long since 2026-07-01T11:58:00Z. The oldest in default has waited for 3m0s"},
		{"too few workers", func(f *stats.Facts) {
			waiting(f, stats.Depth{Pending: 5, OldestPending: 3 * time.Minute})
			f.Decided, f.Growing = 1, true
		}, stats.LevelWarning, stats.CauseLate, "come in faster than they are worked"},
		{"none completes", func(f *stats.Facts) { f.ByStatus[order.StatusRetrying], f.Accepted = 4, 4 }, stats.LevelWarning, stats.CauseStuck, "No order completes. Waiting or being tried: 4"},
		{"not seen for long", func(f *stats.Facts) {
			f.Seen = false
			waiting(f, stats.Depth{Pending: 1})
		}, stats.LevelUnknown, stats.CauseStuck, "in a minute"},
	} {
		f := well(row.with)
		f.Indexed = f.ByStatus
		v := f.Verdict()
		if v.Level != row.level || v.Cause != row.cause || !strings.Contains(v.Detail(), row.says) {
			t.Errorf("%s: %s, %q: %s", row.name, v.Level, v.Cause, v.Detail())
		}
	}
}

// TestVerdictNamesCausesFirst checks that an outage of the shop stands before what follows
// from it.
func TestVerdictNamesCausesFirst(t *testing.T) {
	t.Parallel()
	v := well(func(f *stats.Facts) {
		f.Memory = stats.Memory{Used: 90, Limit: 100}
		f.Fulfilment = stats.Fulfilment{State: order.BreakerOpen}
		waiting(f, stats.Depth{Pending: 5000, OldestPending: time.Hour})
	}).Verdict()
	if v.Cause != stats.CauseShopDown || !slices.Equal(v.Also, []string{"Redis is nearly full"}) {
		t.Errorf("the verdict is %+v", v)
	}
}

// TestVerdictIsDated checks that a verdict whose beginning the facts do not say is dated by
// when it was first seen, and anew when it comes back.
func TestVerdictIsDated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := stats.New(&fakeSystem{}, &fakeSystem{})
		paused := well(func(f *stats.Facts) { waiting(f, stats.Depth{Paused: true}) })
		first := r.Verdict(paused).Since
		pass(time.Minute)
		if again := r.Verdict(paused).Since; first.IsZero() || again != first {
			t.Errorf("it began at %v, a minute later at %v", first, again)
		}
		if v := r.Verdict(well(func(*stats.Facts) {})); v.Level != stats.LevelGood || !v.Since.IsZero() {
			t.Errorf("the verdict is %+v", v)
		}
		if back := r.Verdict(paused).Since; back != first.Add(time.Minute) {
			t.Errorf("it came back at %v", back)
		}
	})
}

// TestTrend checks what a reporter has seen over the last minutes.
func TestTrend(t *testing.T) {
	withReporter(t, func(t *testing.T, s *fakeSystem, r *stats.Reporter) {
		t.Helper()
		if got := snapshot(t, r).Trend; got != (stats.Trend{}) {
			t.Errorf("at first: %+v", got)
		}
		pass(2 * time.Minute)
		s.settle(6, time.Second)
		pass(10 * time.Second)
		got := snapshot(t, r)
		if want := (stats.Trend{Seen: true, Decided: 6}); got.Trend != want || got.FailedRate != 0.6 || got.CompletedRate != 0 {
			t.Errorf("it has seen %+v, %v failed a second", got.Trend, got.FailedRate)
		}
		pass(2 * time.Minute)
		if got := snapshot(t, r); got.Decided != 0 || got.FailedRate != 0 {
			t.Errorf("later: %+v, %v failed a second", got.Trend, got.FailedRate)
		}
	})
}
