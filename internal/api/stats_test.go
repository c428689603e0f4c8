package api_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/stats"
)

// TestStats counts orders and never attempts, and names every member that the
// contract names.
func TestStats(t *testing.T) {
	b := open(t)
	outcomes := map[string]order.Outcome{
		"o1": {Status: order.StatusCompleted}, "o2": {Status: order.StatusCompleted},
		"o3": {Status: order.StatusRejected, Error: "no"}, "o4": {Status: order.StatusFailed, Error: "no"},
	}
	for id, out := range outcomes {
		if _, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault); err != nil {
			t.Fatal(err)
		}
		c := order.Claim{ID: id, Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 9}
		for _, c.Token = range []string{"lost", "last"} {
			if _, err := b.ledger.Begin(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.ledger.Settle(t.Context(), c, out); err != nil {
			t.Fatal(err)
		}
	}
	b.ask(t, "POST", "/orders", body("priority", `1`)).object(t, 201)
	b.ask(t, "POST", "/orders", body("id", "", "priority", `3`)).object(t, 201)
	got := b.ask(t, "GET", "/stats", "").object(t, 200)
	for _, measure := range []string{"queue_wait", "processing", "end_to_end"} {
		latency, _ := got["latency_ms"].(map[string]any)
		values, _ := latency[measure].(map[string]any)
		if diff := cmp.Diff([]string{"p50", "p95", "p99"}, slices.Sorted(maps.Keys(values))); diff != "" {
			t.Errorf("%s: %s", measure, diff)
		}
	}
	for _, name := range []string{"average_process_time_ms", "uptime_seconds", "throughput_per_second"} {
		if n, ok := got[name].(float64); !ok || n < 0 {
			t.Errorf("%s is %v", name, got[name])
		}
		delete(got, name)
	}
	delete(got, "latency_ms")
	queues, _ := got["queues"].(map[string]any)
	for name, q := range queues {
		depth, _ := q.(map[string]any)
		if waited, ok := depth["oldest_pending_seconds"].(float64); !ok || (waited > 0) != (depth["pending"] == 1.0) {
			t.Errorf("queue %s: %v", name, q)
		}
		delete(depth, "oldest_pending_seconds")
	}
	if used, ok := got["redis"].(map[string]any)["memory_used_bytes"].(float64); !ok || used == 0 {
		t.Errorf("Redis uses %v", got["redis"])
	}
	delete(got, "redis")
	wantQueues := map[string]any{}
	for _, q := range order.Queues() {
		wantQueues[string(q)] = depth(0)
	}
	wantQueues["critical"], wantQueues["low"] = depth(1), depth(1)
	want := map[string]any{
		"total_processed": 4.0, "success_count": 2.0, "error_count": 2.0, "active_workers": 0.0, "workers": 0.0, "queue_length": 2.0,
		"by_status": map[string]any{
			"scheduled": 0.0, "pending": 2.0, "processing": 0.0, "priority_processing": 0.0, "expedited": 0.0,
			"retrying": 0.0, "completed": 2.0, "rejected": 1.0, "failed": 1.0, "cancelled": 0.0,
		},
		"queues": wantQueues,
		"ledger": map[string]any{
			"accepted": 6.0, "attempts": 8.0, "requeued": 0.0, "retried": 0.0, "drift": 0.0,
			"repairs": map[string]any{"missing_task": 0.0, "orphan": 0.0, "poison_order": 0.0, "corrupt_task": 0.0, "stale_task": 0.0, "reindexed": 0.0},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func depth(pending float64) map[string]any {
	return map[string]any{
		"pending": pending, "active": 0.0, "scheduled": 0.0, "retry": 0.0, "archived": 0.0, "paused": false,
	}
}

// TestStatsOfNothing can be read before the first order; the specification has its members.
func TestStatsOfNothing(t *testing.T) {
	b := open(t)
	b.ask(t, "GET", "/stats", "").object(t, 200)
	b.empty(t)
}

// snapshots is a Stats for states that are hard to reach.
type snapshots func() (stats.Snapshot, error)

func (f snapshots) Snapshot(context.Context) (stats.Snapshot, error) { return f() }

// TestHealth gives a reason for each way of being unhealthy.
func TestHealth(t *testing.T) {
	t.Parallel()
	snap := func(slots int, waiting int64) snapshots {
		return func() (stats.Snapshot, error) {
			return stats.Snapshot{WorkerPool: stats.WorkerPool{Slots: slots}, Memory: stats.Memory{Used: 80, Limit: 100}, Depths: map[order.Queue]stats.Depth{
				order.QueueCritical: {Pending: 1, Active: 9}, order.QueueLow: {Pending: waiting - 1, Retry: 9},
			}}, nil
		}
	}
	fails := func(err error) snapshots {
		return func() (stats.Snapshot, error) { return stats.Snapshot{}, err }
	}
	ready := func() error { return nil }
	starting := func() error { return errors.New("starting: waiting for Redis") }
	broken := func() error { return errors.New("this Redis is a replica") }
	full := snapshots(func() (stats.Snapshot, error) {
		s, err := snap(0, 7)()
		s.Memory.Used = 81
		return s, err
	})
	rows := []struct {
		name          string
		stats         snapshots
		ready         func() error
		length, slots float64
		reason        string
	}{
		{"healthy", snap(64, 7), ready, 7, 64, ""},
		{"just below the limit", snap(1, 90), ready, 90, 1, ""},
		{"no worker", snap(0, 7), ready, 7, 0, "no worker is alive"},
		{"at the limit, retries included", snap(64, 91), ready, 91, 64, "the queues are full"},
		{"above the limit", snap(64, 101), ready, 101, 64, "the queues are full"},
		{"a check failed, though there is no worker", snap(7, 7), broken, 7, 7, "this Redis is a replica"},
		{"nearly full, and nobody works", full, ready, 7, 0, "Redis is nearly full: all new orders are refused"},
		{"Redis away", fails(fmt.Errorf("read: %w: dial secret", order.ErrUnavailable)), ready, 0, 0, "Redis is unavailable"},
		{"starting", fails(order.ErrUnavailable), starting, 0, 0, "starting: waiting for Redis"},
		{"fault", fails(errors.New("secret dsn")), ready, 0, 0, "the state of the orders could not be read"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := parts{Parts: api.Parts{Stats: row.stats}}
			p.cfg.Ready, p.cfg.MaxQueueLength = row.ready, 100
			code, status := 200, "healthy"
			if row.reason != "" {
				code, status = 503, "unhealthy"
			}
			s := serve(t, p)
			a := s.ask(t, "GET", "/health", "")
			wantNothingInternal(t, a)
			if logged := strings.Contains(s.log.String(), `"error":"secret dsn"`); logged != (row.name == "fault") {
				t.Errorf("the log says %s", s.log)
			}
			got := a.object(t, code)
			if at, _ := got["timestamp"].(float64); time.Since(time.Unix(int64(at), 0)).Abs() > time.Minute {
				t.Errorf("timestamp is %v", got["timestamp"])
			}
			delete(got, "timestamp")
			pool := map[string]any{"healthy": code == 200, "queue_length": row.length, "workers": row.slots}
			if row.length == 0 { // nothing could be read
				pool = map[string]any{"healthy": false}
			}
			want := map[string]any{"status": status, "pool": pool}
			if row.reason != "" {
				want["reason"] = row.reason
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHealthOfOneSlowAnswer keeps what was seen last until it is sure that Redis is away,
// and shows no numbers from then on.
func TestHealthOfOneSlowAnswer(t *testing.T) {
	t.Parallel()
	var fails, away atomic.Bool
	p := parts{Parts: api.Parts{Stats: snapshots(func() (stats.Snapshot, error) {
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
