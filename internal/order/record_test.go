package order_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

func TestRecordResult(t *testing.T) {
	t.Parallel()
	handlings := []order.Handling{"", "standard", "priority", "expedited"}
	completed := []string{
		"Order processing completed",
		"Order processing completed",
		"Order marked for priority processing",
		"Order expedited due to high priority",
	}
	for _, status := range order.Statuses() {
		for i, handling := range handlings {
			want := ""
			switch status { //nolint:exhaustive // every other status has no result
			case order.StatusCompleted:
				want = completed[i]
			case order.StatusRejected, order.StatusFailed:
				want = "Order processing failed"
			}
			if got := (order.Record{Status: status, Handling: handling}).Result(); got != want {
				t.Errorf("%s, handling %q: result %q, want %q", status, handling, got, want)
			}
		}
	}
}

// TestRecordAccepted holds that the record an order began with can be told from
// any later one.
func TestRecordAccepted(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 23, 12, 0, 0, 1000, time.UTC)
	rows := []struct {
		name string
		at   time.Time
		want order.Status
	}{
		{"at once", time.Time{}, order.StatusPending},
		{"a time that had passed", created.Add(-time.Microsecond), order.StatusPending},
		{"the moment itself", created, order.StatusPending},
		{"a microsecond later", created.Add(time.Microsecond), order.StatusScheduled},
		{"a month later", created.Add(order.MaxAhead), order.StatusScheduled},
	}
	for _, row := range rows {
		for _, now := range order.Statuses() {
			o := order.Order{ID: "o1", Content: order.Content{Amount: order.Cents(1250), Items: order.Names("tea"), Customer: "Ada", ProcessAt: row.at}}
			later := order.Record{
				Order: o, Status: now, Queue: order.QueueLow, Handling: order.HandlingPriority, CreatedAt: created,
				NextAttemptAt: created.Add(time.Hour), ProcessedAt: created.Add(time.Minute), Error: "busy",
				CancelReason: "changed my mind", Attempts: []order.Attempt{{Number: 1, Worker: "w1"}},
			}
			want := order.Record{Order: o, Status: row.want, Queue: order.QueueLow, CreatedAt: created}
			if diff := cmp.Diff(want, later.Accepted()); diff != "" {
				t.Errorf("%s, now %s (-want +got):\n%s", row.name, now, diff)
			}
		}
	}
}
