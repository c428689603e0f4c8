package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// system is a source of snapshots.
type system struct {
	snapshot stats.Snapshot
	err      error
}

func (s *system) Snapshot(ctx context.Context) (stats.Snapshot, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return stats.Snapshot{}, errors.New("the scrape has no deadline")
	}
	return s.snapshot, s.err
}

// TestBooks compares every metric of the ledger except the durations.
func TestBooks(t *testing.T) {
	t.Parallel()
	s := &system{snapshot: stats.Snapshot{
		Totals: stats.Totals{
			Accepted: 9, Attempts: 8, Retried: 2,
			Repairs:  map[order.Repair]int64{order.RepairPoisonOrder: 3, "made up": 1},
			ByStatus: map[order.Status]int64{order.StatusCompleted: 5, order.StatusPending: 2, "made up": 1},
			Indexed:  map[order.Status]int64{order.StatusPending: 2},
		},
		Depths: map[order.Queue]stats.Depth{
			order.QueueLow: {Pending: 1, Active: 2, Scheduled: 3, Retry: 4, Archived: 5, Paused: true, OldestPending: 1500 * time.Millisecond},
			"made up":      {Pending: 1},
		},
		WorkerPool: stats.WorkerPool{Workers: 2, Slots: 64},
		Memory:     stats.Memory{Used: 1000, Limit: 4000},
		Archive:    stats.ArchiveBacklog{Orders: 7, Behind: 90 * time.Second},
	}}
	r := metrics.New("commit 1")
	r.AddLedger(s)
	all := scrape(t, r, "orders_books_")
	compare(t, map[string]float64{
		"orders_books_up": 1, "orders_books_accepted_total": 9, "orders_books_attempts_total": 8, "orders_books_retried_total": 2,
		`orders_books_repairs_total{kind="poison_order"}`: 3, "orders_books_drift_orders": 1,
		"orders_books_fulfilment_success_ratio": 1, `orders_books_orders{status="completed"}`: 5, `orders_books_orders{status="pending"}`: 2,
		`orders_books_queue_tasks{queue="low",state="pending"}`: 1, `orders_books_queue_tasks{queue="low",state="active"}`: 2,
		`orders_books_queue_tasks{queue="low",state="scheduled"}`: 3, `orders_books_queue_tasks{queue="low",state="retry"}`: 4,
		`orders_books_queue_tasks{queue="low",state="archived"}`: 5,
		`orders_books_queue_paused{queue="low"}`:                 1, `orders_books_queue_oldest_waiting_seconds{queue="low"}`: 1.5,
		"orders_books_workers": 2, "orders_books_worker_slots": 64, "orders_books_redis_memory_used_bytes": 1000, "orders_books_redis_memory_limit_bytes": 4000,
		"orders_books_archive_due_orders": 7, "orders_books_archive_behind_seconds": 90,
	}, nonzero(all))
	for _, zero := range []string{
		`orders_books_repairs_total{kind="orphan"}`, `orders_books_orders{status="failed"}`,
		`orders_books_queue_tasks{queue="critical",state="pending"}`, `orders_books_queue_paused{queue="critical"}`,
		`orders_books_end_to_end_seconds_count{queue="critical"}`,
	} {
		if _, there := all[zero]; !there {
			t.Errorf("there is no %s while it is zero", zero)
		}
	}
}

// TestBooksAway checks that a scrape without Redis has no old figures of the ledger, and
// still has the other metrics.
func TestBooksAway(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	r.AddLedger(&system{err: order.ErrUnavailable})
	compare(t, map[string]float64{"orders_books_up": 0}, scrape(t, r, "orders_"))
	if len(scrape(t, r, "go_goroutines")) != 1 {
		t.Error("the metrics of the runtime are missing")
	}
}

// TestSomeBooksAway compares the metrics of several books, one of which is away with the
// list of the workers.
func TestSomeBooksAway(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	r.AddLedger(&system{snapshot: stats.Snapshot{
		Totals:     stats.Totals{Books: []stats.BookTotals{{Accepted: 7, Unsettled: 2}, {Accepted: 6, Drift: 1, Away: true}}},
		WorkerPool: stats.WorkerPool{PoolUnknown: true},
	}})
	compare(t, map[string]float64{
		"orders_books_up": 1, "orders_books_fulfilment_success_ratio": 1, "orders_books_drift_orders": 1,
		"orders_books_away": 1, `orders_books_book_accepted_total{book="0"}`: 7, `orders_books_book_accepted_total{book="1"}`: 6,
		`orders_books_book_unsettled_orders{book="0"}`: 2, `orders_books_book_drift_orders{book="1"}`: 1, `orders_books_book_away{book="1"}`: 1,
	}, nonzero(scrape(t, r, "orders_books_")))
	if n := len(scrape(t, r, "orders_books_worker")); n != 0 {
		t.Errorf("%d metrics of workers that are not known", n)
	}
}

// TestDurations checks that the buckets of a scrape count exactly what the ledger has
// observed within their bounds.
func TestDurations(t *testing.T) {
	t.Parallel()
	var h stats.Histogram
	for i := range h.Counts {
		h.Counts[i] = 1
	}
	h.Sum = 90 * time.Second
	s := &system{snapshot: stats.Snapshot{Totals: stats.Totals{
		QueueWait:  map[order.Queue]stats.Histogram{order.QueueCritical: h},
		Processing: map[order.Queue]stats.Histogram{order.QueueDefault: h},
		EndToEnd:   map[order.Queue]stats.Histogram{order.QueueLow: h, "made up": h},
	}}}
	r := metrics.New("commit 1")
	r.AddLedger(s)
	for name, queue := range map[string]string{"queue_wait": "critical", "processing": "default", "end_to_end": "low"} {
		got := nonzero(scrape(t, r, "orders_books_"+name+"_seconds"))
		compare(t, wantDurations("orders_books_"+name+"_seconds", queue), got)
	}
}

// wantDurations is a histogram with one observation in each bucket of the ledger.
func wantDurations(name, queue string) map[string]float64 {
	want := map[string]float64{
		fmt.Sprintf("%s_count{queue=%q}", name, queue):              stats.Buckets,
		fmt.Sprintf("%s_sum{queue=%q}", name, queue):                90,
		fmt.Sprintf("%s_bucket{queue=%q,le=\"+Inf\"}", name, queue): stats.Buckets,
	}
	bounds := []float64{.0008, .0016, .0032, .0064, .0128, .0256, .0512, .1024, .2048, .4096, .8192}
	for _, s := range []float64{1, 2, 4, 8, 16, 32, 128, 512, 2048, 8192, 32768, 131072} {
		bounds = append(bounds, 1.6384*s)
	}
	for _, bound := range bounds {
		within := 0
		for within < stats.Buckets && float64(stats.Bound(within))/1e9 <= bound {
			within++
		}
		want[fmt.Sprintf("%s_bucket{queue=%q,le=\"%v\"}", name, queue, bound)] = float64(within)
	}
	return want
}
