package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestGet shows an order in every status, member by member.
func TestGet(t *testing.T) {
	t.Parallel()
	const standard, priority, expedited = order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited
	completed := order.Outcome{Status: order.StatusCompleted, Note: "thanks"}
	type members = map[string]any
	type steps = func(t *testing.T, b *bundle)
	settled := func(out order.Outcome) steps {
		return func(t *testing.T, b *bundle) {
			t.Helper()
			b.settle(t, orderID, "a", out)
		}
	}
	nothing := func(*testing.T, *bundle) {}
	running := []any{members{"number": 1.0, "worker_id": "worker-a"}}
	done := []any{attempt(1, "a", "", "thanks")}
	for _, row := range []struct {
		name     string
		handling order.Handling
		steps    steps // after the first attempt has begun; nil if there is none
		want     members
	}{
		{"pending", "", nil, members{"status": "pending", "attempts": []any{}}},
		{"processing", standard, nothing, members{"status": "processing", "attempts": running}},
		{"priority processing", priority, nothing, members{"status": "priority_processing", "attempts": running}},
		{"expedited", expedited, nothing, members{"status": "expedited", "attempts": running}},
		{"retrying", standard, func(t *testing.T, b *bundle) { b.fail(t, orderID, "a") }, members{
			"status": "retrying", "error": shopDown, "attempts": []any{attempt(1, "a", shopDown, "busy")},
		}},
		{"completed", standard, settled(completed), members{
			"status": "completed", "success": true, "result": "Order processing completed", "attempts": done,
		}},
		{"completed with priority", priority, settled(completed), members{
			"status": "completed", "success": true, "result": "Order marked for priority processing", "attempts": done,
		}},
		{"completed, expedited, at the second attempt", expedited, func(t *testing.T, b *bundle) {
			b.fail(t, orderID, "a")
			b.begin(t, orderID, "b", expedited)
			b.settle(t, orderID, "b", completed)
		}, members{
			"status": "completed", "success": true, "worker_id": "worker-b", "result": "Order expedited due to high priority",
			"attempts": []any{attempt(1, "a", shopDown, "busy"), attempt(2, "b", "", "thanks")},
		}},
		{"rejected", "", settled(order.Outcome{Status: order.StatusRejected, Error: tooMany}), members{
			"status": "rejected", "success": false, "error": tooMany, "result": "Order processing failed",
			"attempts": []any{attempt(1, "a", "", "")},
		}},
		{"failed", standard, settled(order.Outcome{Status: order.StatusFailed, Error: "shop answered 422", Note: "no"}), members{
			"status": "failed", "success": false, "error": "shop answered 422", "result": "Order processing failed",
			"attempts": []any{attempt(1, "a", "shop answered 422", "no")},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.reach(t, orderID, order.StatusPending)
			o := ordertest.Order(t)
			want := members{
				"id": orderID, "amount": 12.5, "items": []any{o.Items[0].Name}, "customer": o.Customer, "address": o.Address,
				"priority": 2.0, "queue": "default",
			}
			if row.steps != nil {
				b.begin(t, orderID, "a", row.handling)
				row.steps(t, b)
				want["worker_id"] = "worker-a"
			}
			if row.handling != "" {
				want["handling"] = string(row.handling)
			}
			maps.Copy(want, row.want)
			got := b.ask(t, "GET", "/orders/"+orderID, "").object(t, 200)
			times := []string{"created_at"}
			if got["success"] != nil {
				times = append(times, "processed_at", "processing_time_ms")
			} else if got["status"] == "retrying" {
				times = append(times, "next_attempt_at")
			}
			removeTime(t, got, times...)
			attempts, _ := got["attempts"].([]any)
			for _, a := range attempts {
				one, _ := a.(members)
				removeTime(t, one, "started_at")
				if len(times) > 1 {
					removeTime(t, one, "ended_at")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func attempt(number float64, token, reason, note string) map[string]any {
	a := map[string]any{"number": number, "worker_id": "worker-" + token}
	if reason != "" {
		a["error"] = reason
	}
	if note != "" {
		a["note"] = note
	}
	return a
}

// removeTime removes members that must be times in UTC, or numbers of milliseconds.
func removeTime(t *testing.T, m map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		ms, isNumber := m[name].(float64)
		text := fmt.Sprint(m[name])
		at, err := time.Parse(time.RFC3339Nano, text)
		isTime := err == nil && strings.HasSuffix(text, "Z") && time.Since(at).Abs() < time.Hour
		if isDuration := isNumber && strings.HasSuffix(name, "_ms") && ms >= 0; !isDuration && !isTime {
			t.Errorf("%s is %v, of %v", name, m[name], slices.Sorted(maps.Keys(m)))
		}
		delete(m, name)
	}
}

// event is one event of an order.
type event struct {
	ID       string
	Sequence int
	Status   order.Status
	Time     time.Time
	Attempt  int
	WorkerID string `json:"worker_id"`
	Reason   string
}

// TestEvents lists one event for each change of the status, with unique ids, in the order
// of time.
func TestEvents(t *testing.T) {
	b := open(t)
	rec := b.reach(t, orderID, order.StatusScheduled)
	b.begin(t, orderID, "a", order.HandlingPriority)
	b.fail(t, orderID, "a")
	b.begin(t, orderID, "b", order.HandlingExpedited)
	b.settle(t, orderID, "b", order.Outcome{Status: order.StatusFailed, Error: "shop answered 422"})
	b.ask(t, "POST", "/orders/ord_1/retry", "").object(t, 202)
	b.begin(t, orderID, "c", order.HandlingStandard)
	b.fail(t, orderID, "c")
	b.ask(t, "POST", "/orders/ord_1/cancel", `{"reason":"too late <&>"}`).object(t, 200)
	got := decode[struct{ Events []event }](t, b.ask(t, "GET", "/orders/ord_1/events", ""), 200).Events
	want := []event{
		{Sequence: 1, Status: order.StatusScheduled},
		{Sequence: 2, Status: order.StatusPriorityProcessing, Attempt: 1, WorkerID: "worker-a"},
		{Sequence: 3, Status: order.StatusRetrying, Attempt: 1, WorkerID: "worker-a", Reason: shopDown},
		{Sequence: 4, Status: order.StatusExpedited, Attempt: 2, WorkerID: "worker-b"},
		{Sequence: 5, Status: order.StatusFailed, Attempt: 2, WorkerID: "worker-b", Reason: "shop answered 422"},
		{Sequence: 6, Status: order.StatusPending},
		{Sequence: 7, Status: order.StatusProcessing, Attempt: 3, WorkerID: "worker-c"},
		{Sequence: 8, Status: order.StatusRetrying, Attempt: 3, WorkerID: "worker-c", Reason: shopDown},
		{Sequence: 9, Status: order.StatusCancelled, Reason: "too late <&>"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(event{}, "ID", "Time")); diff != "" {
		t.Fatal(diff)
	}
	ids := map[string]bool{"": true}
	for i, e := range got {
		if ids[e.ID] || i > 0 && e.Time.Before(got[i-1].Time) {
			t.Errorf("event %d is %+v", i, e)
		}
		ids[e.ID] = true
	}
	if !got[0].Time.Equal(rec.CreatedAt) {
		t.Errorf("the first event is at %v, the order was accepted at %v", got[0].Time, rec.CreatedAt)
	}
}
