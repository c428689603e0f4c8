package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

const orderID = "ord_1"

func claim(token string, h order.Handling) order.Claim {
	return order.Claim{ID: orderID, Token: token, Worker: "worker-" + token, Handling: h, MaxAttempts: 3}
}

func (b *bundle) accept(t *testing.T) {
	t.Helper()
	if _, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, ordertest.WithID(orderID)), order.QueueDefault); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) begin(t *testing.T, token string, h order.Handling) {
	t.Helper()
	if _, err := b.ledger.Begin(t.Context(), claim(token, h)); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) fail(t *testing.T, token string) {
	t.Helper()
	err := b.ledger.Fail(t.Context(), claim(token, order.HandlingStandard), order.Failure{Error: "shop answered 500", Note: "busy", RetryIn: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) settle(t *testing.T, token string, out order.Outcome) {
	t.Helper()
	if err := b.ledger.Settle(t.Context(), claim(token, order.HandlingStandard), out); err != nil {
		t.Fatal(err)
	}
}

// TestGet shows an order in every status, member by member.
func TestGet(t *testing.T) {
	t.Parallel()
	const standard, priority, expedited = order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited
	completed := order.Outcome{Status: order.StatusCompleted, Note: "thanks"}
	type members = map[string]any
	running := []any{members{"number": 1.0, "worker_id": "worker-a"}}
	done := []any{attempt(1, "a", "", "thanks")}
	rows := []struct {
		name     string
		handling order.Handling
		steps    func(t *testing.T, b *bundle) // after the first attempt has begun; nil for none
		want     members
	}{
		{"pending", "", nil, members{"status": "pending", "attempts": []any{}}},
		{"processing", standard, func(*testing.T, *bundle) {}, members{"status": "processing", "attempts": running}},
		{"priority processing", priority, func(*testing.T, *bundle) {}, members{"status": "priority_processing", "attempts": running}},
		{"expedited", expedited, func(*testing.T, *bundle) {}, members{"status": "expedited", "attempts": running}},
		{"retrying", standard, func(t *testing.T, b *bundle) { b.fail(t, "a") }, members{
			"status": "retrying", "error": shopDown, "attempts": []any{attempt(1, "a", shopDown, "busy")},
		}},
		{"completed", standard, func(t *testing.T, b *bundle) { b.settle(t, "a", completed) }, members{
			"status": "completed", "success": true, "result": "Order processing completed", "attempts": done,
		}},
		{"completed with priority", priority, func(t *testing.T, b *bundle) { b.settle(t, "a", completed) }, members{
			"status": "completed", "success": true, "result": "Order marked for priority processing", "attempts": done,
		}},
		{"completed, expedited, at the second attempt", expedited, func(t *testing.T, b *bundle) {
			b.fail(t, "a")
			b.begin(t, "b", expedited)
			b.settle(t, "b", completed)
		}, members{
			"status": "completed", "success": true, "worker_id": "worker-b", "result": "Order expedited due to high priority",
			"attempts": []any{attempt(1, "a", shopDown, "busy"), attempt(2, "b", "", "thanks")},
		}},
		{"rejected", "", func(t *testing.T, b *bundle) {
			b.settle(t, "a", order.Outcome{Status: order.StatusRejected, Error: "too many items in order"})
		}, members{
			"status": "rejected", "success": false, "error": "too many items in order", "result": "Order processing failed",
			"attempts": []any{attempt(1, "a", "", "")},
		}},
		{"failed", standard, func(t *testing.T, b *bundle) {
			b.settle(t, "a", order.Outcome{Status: order.StatusFailed, Error: "shop answered 422", Note: "no"})
		}, members{
			"status": "failed", "success": false, "error": "shop answered 422", "result": "Order processing failed",
			"attempts": []any{attempt(1, "a", "shop answered 422", "no")},
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.accept(t)
			o := ordertest.Order(t)
			want := members{
				"id": orderID, "amount": 12.5, "items": []any{o.Items[0]}, "customer": o.Customer, "address": o.Address,
				"priority": 2.0, "queue": "default",
			}
			if row.steps != nil {
				b.begin(t, "a", row.handling)
				row.steps(t, b)
				want["worker_id"] = "worker-a"
			}
			if row.handling != "" {
				want["handling"] = string(row.handling)
			}
			maps.Copy(want, row.want)
			got := b.ask(t, "GET", "/orders/"+orderID, "").object(t, 200)
			takeTime(t, got, "created_at")
			settled := got["success"] != nil
			if settled {
				takeTime(t, got, "processed_at")
				takeTime(t, got, "processing_time_ms")
			}
			if got["status"] == "retrying" {
				takeTime(t, got, "next_attempt_at")
			}
			attempts, _ := got["attempts"].([]any)
			for _, a := range attempts {
				one, _ := a.(members)
				takeTime(t, one, "started_at")
				if got["status"] == "retrying" || settled {
					takeTime(t, one, "ended_at")
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

// takeTime wants a time in UTC, or a number of milliseconds, and takes it out.
func takeTime(t *testing.T, m map[string]any, name string) {
	t.Helper()
	if ms, ok := m[name].(float64); ok && strings.HasSuffix(name, "_ms") && ms >= 0 {
		delete(m, name)
		return
	}
	text := fmt.Sprint(m[name])
	if at, err := time.Parse(time.RFC3339Nano, text); err != nil || !strings.HasSuffix(text, "Z") || time.Since(at).Abs() > time.Hour {
		t.Errorf("%s is %v, of %v", name, m[name], slices.Sorted(maps.Keys(m)))
	}
	delete(m, name)
}
