package reconcile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestTidy holds which places are removed: those whose order is settled, unknown
// or waits in another queue. Archived ones stay as long as their order is known.
func TestTidy(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before func(t *testing.T, b *bundle)
		age    time.Duration // when the round is made
		left   int64
	}{
		{"scheduled, of a cancelled order", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, b.acceptFor(t, time.Now().Add(time.Hour)))
			cancelled(t, b, "o1")
		}, 0, 0},
		{"scheduled, of an order that waits for it", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, b.acceptFor(t, time.Now().Add(time.Hour)))
		}, 0, 1},
		{"scheduled, of no order", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, order.Record{Order: order.Order{ID: "o1", Content: order.Content{ProcessAt: time.Now().Add(time.Hour)}}, Queue: order.QueueDefault, Status: order.StatusScheduled})
		}, 0, 0},
		{"scheduled, of an order in another queue", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, b.accept(t, "o1"))
			b.enqueue(t, order.Record{Order: order.Order{ID: "o1", Content: order.Content{ProcessAt: time.Now().Add(time.Hour)}}, Queue: order.QueueLow, Status: order.StatusScheduled})
		}, 0, 1},
		{"archived, of a settled order", func(t *testing.T, b *bundle) {
			t.Helper()
			archived(t, b)
			b.settle(t, "o1")
		}, 3 * retention, 1},
		{"archived, of an order forgotten just now", func(t *testing.T, b *bundle) {
			t.Helper()
			archived(t, b)
			forgotten(t, b)
		}, 0, 1},
		{"archived, of an order forgotten long ago", func(t *testing.T, b *bundle) {
			t.Helper()
			archived(t, b)
			forgotten(t, b)
		}, 3 * retention, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			had := b.state(t).Tasks
			for range 2 {
				b.round(t, time.Now().Add(row.age))
			}
			if got := b.state(t); got.Tasks != row.left {
				t.Errorf("%d places are left, want %d", got.Tasks, row.left)
			}
			totals, err := b.books.Totals(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(had-row.left, totals.Repairs[order.RepairRemoved]); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
		})
	}
}

func cancelled(t *testing.T, b *bundle, id string) {
	t.Helper()
	if _, err := b.books.Cancel(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
}

func archived(t *testing.T, b *bundle) {
	t.Helper()
	b.enqueue(t, b.accept(t, "o1"))
	if err := b.asynq.ArchiveTask("default", "o1"); err != nil {
		t.Fatal(err)
	}
}

func forgotten(t *testing.T, b *bundle) {
	t.Helper()
	b.settle(t, "o1")
	if n, err := b.books.Forget(t.Context(), time.Now().Add(time.Minute), 10); n != 1 || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
}

// TestTidyDamaged replaces a parked place that no worker could read, however young
// its order is.
func TestTidyDamaged(t *testing.T) {
	b := open(t)
	rec := b.acceptFor(t, time.Now().Add(time.Hour))
	b.enqueue(t, rec)
	b.rdb.Del(t.Context(), "asynq:{default}:t:o1")
	b.rdb.Set(t.Context(), "asynq:{default}:t:o1", "text", 0)
	b.round(t, rec.CreatedAt)
	if held, err := b.queue.Holds(t.Context(), rec); !held || err != nil {
		t.Errorf("it has a place: %t, %v", held, err)
	}
	totals, err := b.books.Totals(t.Context())
	if err != nil || totals.Repairs[order.RepairSetAside] != 1 || totals.Repairs[order.RepairRequeued] != 1 {
		t.Errorf("repairs are %v, %v", totals.Repairs, err)
	}
}
