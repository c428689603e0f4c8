package api_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// statsFunc returns snapshots that a test makes.
type statsFunc func() (stats.Snapshot, error)

func (f statsFunc) Snapshot(context.Context) (stats.Snapshot, error) { return f() }

func (f statsFunc) Verdict(facts stats.Facts) stats.Verdict {
	return stats.New(nil, nil).Verdict(facts)
}

// histogram has 100 observations, whose quantiles are the bounds of three buckets.
func histogram(bucket int) (h stats.Histogram) {
	h.Counts[bucket], h.Counts[bucket+1], h.Counts[bucket+2] = 50, 45, 5
	h.Sum = 1250 * time.Millisecond
	return h
}

func quantiles(bucket int) map[string]any {
	ms := func(i int) float64 { return float64(stats.Bound(i).Microseconds()) / 1000 }
	return map[string]any{"p50": ms(bucket), "p95": ms(bucket + 1), "p99": ms(bucket + 2)}
}

// TestStats shows every member of a snapshot whose numbers all differ.
func TestStats(t *testing.T) {
	t.Parallel()
	snap := stats.Snapshot{
		Totals: stats.Totals{
			Accepted: 9000, Attempts: 9001, Requeued: 9002, Retried: 9003,
			Repairs: map[order.Repair]int64{}, ByStatus: map[order.Status]int64{},
			Processing: map[order.Queue]stats.Histogram{order.QueueLow: histogram(0)},
			Books:      []stats.BookTotals{{Accepted: 5000, Unsettled: 50}, {Accepted: 4000, Unsettled: 40, Drift: 4, Away: true}},
		},
		Depths:     map[order.Queue]stats.Depth{},
		WorkerPool: stats.WorkerPool{Workers: 3, Slots: 192},
		Memory:     stats.Memory{Used: 7001, Limit: 7002},
		Throughput: 12.3456, CompletedRate: 11.111, FailedRate: 1.001,
		Fulfilment: stats.Fulfilment{
			State: order.BreakerHalfOpen, Since: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), Taken: 90, Refused: 3, Later: 5, Errors: 7, Unanswered: 15,
			LastError: "fulfilment answered 500",
		},
		Recent: stats.Durations{QueueWait: histogram(10), Processing: histogram(20), EndToEnd: histogram(30)},
		Uptime: 90*time.Second + 900*time.Millisecond,
	}
	type members = map[string]any
	byStatus, repairs, queues := members{}, members{}, members{}
	for i, status := range order.Statuses() {
		n := int64(1) << i
		snap.ByStatus[status], byStatus[string(status)] = n, float64(n)
	}
	for i, repair := range order.Repairs() {
		snap.Repairs[repair], repairs[string(repair)] = int64(800+i), 800+float64(i)
	}
	var pending int64
	for i, q := range order.Queues() {
		n := int64(100 * (i + 1))
		snap.Depths[q] = stats.Depth{
			Pending: n, Active: n + 1, Scheduled: n + 2, Retry: n + 3, Archived: n + 4, Paused: i == 1,
			OldestPending: time.Duration(n) * 1500 * time.Millisecond,
		}
		f := float64(n)
		queues[string(q)] = members{
			"pending": f, "active": f + 1, "scheduled": f + 2, "retry": f + 3, "archived": f + 4, "paused": i == 1,
			"oldest_pending_seconds": f * 1.5, "memory_percent": float64(q.Spec().MemoryPercent),
		}
		pending += n
	}
	completed, rejected, failed := snap.ByStatus[order.StatusCompleted], snap.ByStatus[order.StatusRejected], snap.ByStatus[order.StatusFailed]
	want := members{
		"total_processed": float64(completed + rejected + failed), "success_count": float64(completed), "error_count": float64(rejected + failed),
		"average_process_time_ms": 12.5, "active_workers": 192.0, "workers": 3.0, "queue_length": float64(pending), "uptime_seconds": 90.0,
		"throughput_per_second": 12.35, "by_status": byStatus, "queues": queues,
		"latency_ms": members{"queue_wait": quantiles(10), "processing": quantiles(20), "end_to_end": quantiles(30)},
		"ledger": members{
			"accepted": 9000.0, "attempts": 9001.0, "requeued": 9002.0, "retried": 9003.0, "drift": 4.0, "repairs": repairs,
			"books": []any{
				members{"book": 0.0, "accepted": 5000.0, "unsettled": 50.0, "drift": 0.0},
				members{"book": 1.0, "accepted": 4000.0, "unsettled": 40.0, "drift": 4.0, "away": true},
			},
		},
		"redis":                members{"memory_used_bytes": 7001.0, "memory_limit_bytes": 7002.0},
		"completed_per_second": 11.11, "failed_per_second": 1.0,
		"fulfilment": members{
			"state": "half_open", "since": "2026-07-01T09:00:00.000000Z", "calls_per_second": 2.0, "success_ratio": 0.75,
			"last_error": "fulfilment answered 500",
		},
	}
	a := serve(t, parts{Parts: api.Parts{Stats: statsFunc(func() (stats.Snapshot, error) { return snap, nil })}}).ask(t, "GET", "/stats", "")
	if diff := cmp.Diff(want, a.object(t, 200)); diff != "" {
		t.Error(diff)
	}
	named := regexp.MustCompile(`"(critical|default|low)":`).FindAllString(string(a.body), -1)
	if strings.Join(named, "") != `"critical":"default":"low":` {
		t.Errorf("the queues are in the order %v", named)
	}
}

// TestStatsAtFirst shows statistics before the first order, and no workers while Redis may
// have refused their heartbeats.
func TestStatsAtFirst(t *testing.T) {
	b := open(t)
	b.ask(t, "GET", "/stats", "").object(t, 200)
	b.checkEmpty(t)
	full := statsFunc(func() (stats.Snapshot, error) {
		return stats.Snapshot{Memory: stats.Memory{Used: 96, Limit: 100}}, nil
	})
	got := serve(t, parts{Parts: api.Parts{Stats: full}}).ask(t, "GET", "/stats", "").object(t, 200)
	if got["active_workers"] != nil || got["workers"] != nil {
		t.Errorf("workers are %v with %v slots", got["workers"], got["active_workers"])
	}
}

// TestHealth gives a reason for each way of being unhealthy.
func TestHealth(t *testing.T) {
	t.Parallel()
	snap := func(slots int, waiting int64) statsFunc {
		return func() (stats.Snapshot, error) {
			return stats.Snapshot{WorkerPool: stats.WorkerPool{Slots: slots}, Memory: stats.Memory{Used: 80, Limit: 100}, Depths: map[order.Queue]stats.Depth{
				order.QueueCritical: {Pending: 1, Active: 9}, order.QueueLow: {Pending: waiting - 1, Retry: 9},
			}}, nil
		}
	}
	fails := func(err error) statsFunc {
		return func() (stats.Snapshot, error) { return stats.Snapshot{}, err }
	}
	full := statsFunc(func() (stats.Snapshot, error) {
		s, err := snap(0, 7)()
		s.Memory.Used = 81
		return s, err
	})
	someAway := statsFunc(func() (stats.Snapshot, error) {
		s, err := snap(64, 7)()
		s.Books = []stats.BookTotals{{Away: true}, {}}
		return s, err
	})
	unbounded := statsFunc(func() (stats.Snapshot, error) {
		s, err := snap(64, 91)()
		s.Memory.Limit = 0
		return s, err
	})
	for _, row := range []struct {
		name          string
		stats         statsFunc
		unusable      error
		length, slots float64
		reason        string
	}{
		{"healthy", snap(64, 7), nil, 7, 64, ""},
		{"just below the limit", snap(1, 90), nil, 90, 1, ""},
		{"one of two books away", someAway, nil, 7, 64, ""},
		{"no worker", snap(0, 7), nil, 7, 0, "no worker is alive"},
		{"at the limit, retries included", unbounded, nil, 91, 64, "the queues are full"},
		{"at the limit, where memory bounds them", snap(64, 91), nil, 91, 64, ""},
		{"a check failed", snap(7, 7), errors.New("this Redis is a replica"), 7, 7, "this Redis is a replica"},
		{"nearly full, and no worker", full, nil, 7, 0, "Redis is nearly full: all new orders are refused"},
		{"Redis away", fails(fmt.Errorf("read: %w: dial secret", order.ErrUnavailable)), nil, 0, 0, "Redis is unavailable"},
		{"starting", fails(order.ErrUnavailable), errors.New("starting: waiting for Redis"), 0, 0, "starting: waiting for Redis"},
		{"fault", fails(errors.New("secret dsn")), nil, 0, 0, "the state of the orders could not be read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := parts{Parts: api.Parts{Stats: row.stats}}
			p.cfg.Ready, p.cfg.MaxQueueLength = func() error { return row.unusable }, 100
			s := serve(t, p)
			a := s.ask(t, "GET", "/health", "")
			checkNothingInternal(t, a)
			if logged := strings.Contains(s.log.String(), `"error":"secret dsn"`); logged != (row.name == "fault") {
				t.Errorf("the log is %s", s.log)
			}
			pool := map[string]any{"healthy": row.reason == "", "queue_length": row.length, "workers": row.slots}
			if row.length == 0 { // nothing could be read
				pool = map[string]any{"healthy": false}
			}
			code, want := 200, map[string]any{"status": "healthy", "pool": pool}
			if row.reason != "" {
				code, want["status"], want["reason"] = 503, "unhealthy", row.reason
			}
			got := a.object(t, code)
			if at, _ := got["timestamp"].(float64); time.Since(time.Unix(int64(at), 0)).Abs() > time.Minute {
				t.Errorf("timestamp is %v", got["timestamp"])
			}
			delete(got, "timestamp")
			if detail, _ := got["detail"].(string); (detail == "") || got["verdict"] == nil {
				t.Errorf("the detail is %q, and the verdict %v", detail, got["verdict"])
			}
			delete(got, "detail")
			delete(got, "verdict")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHealthOfOneSlowAnswer shows the last numbers until it is certain that Redis is
// unavailable, and no numbers from then on.
func TestHealthOfOneSlowAnswer(t *testing.T) {
	t.Parallel()
	var fails, away atomic.Bool
	p := parts{Parts: api.Parts{Stats: statsFunc(func() (stats.Snapshot, error) {
		if fails.Load() {
			return stats.Snapshot{}, order.ErrUnavailable
		}
		return stats.Snapshot{WorkerPool: stats.WorkerPool{Slots: 3}}, nil
	})}}
	p.cfg.Away = away.Load
	s := serve(t, p)
	for _, row := range []struct {
		fails, away bool
		code        int
		workers     any
	}{{false, false, 200, 3.0}, {true, false, 200, 3.0}, {true, true, 503, nil}, {false, false, 200, 3.0}} {
		fails.Store(row.fails)
		away.Store(row.away)
		pool, _ := s.ask(t, "GET", "/health", "").object(t, row.code)["pool"].(map[string]any)
		if pool["workers"] != row.workers {
			t.Errorf("workers are %v, want %v", pool["workers"], row.workers)
		}
	}
}
