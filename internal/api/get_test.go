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

// TestGet shows an order in every state that it can meet, member by member.
func TestGet(t *testing.T) {
	t.Parallel()
	const standard, priority, expedited = order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited
	completed := order.Outcome{Status: order.StatusCompleted, Note: "thanks"}
	rows := []struct {
		name  string
		steps func(t *testing.T, b *bundle)
		want  map[string]any
		times []string // members that must hold a time, and do not compare
	}{
		{"pending", func(*testing.T, *bundle) {}, map[string]any{"status": "pending", "attempts": []any{}}, nil},
		{
			"processing", func(t *testing.T, b *bundle) { b.begin(t, "a", standard) },
			map[string]any{
				"status": "processing", "handling": "standard", "worker_id": "worker-a",
				"attempts": []any{map[string]any{"number": 1.0, "worker_id": "worker-a"}},
			},
			nil,
		},
		{
			"priority processing", func(t *testing.T, b *bundle) { b.begin(t, "a", priority) },
			map[string]any{
				"status": "priority_processing", "handling": "priority", "worker_id": "worker-a",
				"attempts": []any{map[string]any{"number": 1.0, "worker_id": "worker-a"}},
			},
			nil,
		},
		{
			"expedited", func(t *testing.T, b *bundle) { b.begin(t, "a", expedited) },
			map[string]any{
				"status": "expedited", "handling": "expedited", "worker_id": "worker-a",
				"attempts": []any{map[string]any{"number": 1.0, "worker_id": "worker-a"}},
			},
			nil,
		},
		{
			"retrying", func(t *testing.T, b *bundle) { b.begin(t, "a", standard); b.fail(t, "a") },
			map[string]any{
				"status": "retrying", "handling": "standard", "worker_id": "worker-a", "error": "shop answered 500",
				"attempts": []any{attempt(1, "a", "shop answered 500", "busy")},
			},
			[]string{"next_attempt_at"},
		},
		{
			"completed", func(t *testing.T, b *bundle) { b.begin(t, "a", standard); b.settle(t, "a", completed) },
			map[string]any{
				"status": "completed", "handling": "standard", "worker_id": "worker-a", "success": true,
				"result": "Order processing completed", "attempts": []any{attempt(1, "a", "", "thanks")},
			},
			[]string{"processed_at", "processing_time_ms"},
		},
		{
			"completed with priority", func(t *testing.T, b *bundle) { b.begin(t, "a", priority); b.settle(t, "a", completed) },
			map[string]any{
				"status": "completed", "handling": "priority", "worker_id": "worker-a", "success": true,
				"result": "Order marked for priority processing", "attempts": []any{attempt(1, "a", "", "thanks")},
			},
			[]string{"processed_at", "processing_time_ms"},
		},
		{
			"completed, expedited, at the second attempt", func(t *testing.T, b *bundle) {
				b.begin(t, "a", expedited)
				b.fail(t, "a")
				b.begin(t, "b", expedited)
				b.settle(t, "b", completed)
			},
			map[string]any{
				"status": "completed", "handling": "expedited", "worker_id": "worker-b", "success": true,
				"result":   "Order expedited due to high priority",
				"attempts": []any{attempt(1, "a", "shop answered 500", "busy"), attempt(2, "b", "", "thanks")},
			},
			[]string{"processed_at", "processing_time_ms"},
		},
		{
			"rejected", func(t *testing.T, b *bundle) {
				b.begin(t, "a", "")
				b.settle(t, "a", order.Outcome{Status: order.StatusRejected, Error: "too many items in order"})
			},
			map[string]any{
				"status": "rejected", "worker_id": "worker-a", "success": false, "error": "too many items in order",
				"result": "Order processing failed", "attempts": []any{attempt(1, "a", "", "")},
			},
			[]string{"processed_at", "processing_time_ms"},
		},
		{
			"failed", func(t *testing.T, b *bundle) {
				b.begin(t, "a", standard)
				b.settle(t, "a", order.Outcome{Status: order.StatusFailed, Error: "shop answered 422", Note: "no"})
			},
			map[string]any{
				"status": "failed", "handling": "standard", "worker_id": "worker-a", "success": false,
				"error": "shop answered 422", "result": "Order processing failed",
				"attempts": []any{attempt(1, "a", "shop answered 422", "no")},
			},
			[]string{"processed_at", "processing_time_ms"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.accept(t)
			row.steps(t, b)
			got := b.ask(t, "GET", "/orders/"+orderID, "").object(t, 200)
			for _, name := range append(row.times, "created_at") {
				takeTime(t, got, name)
			}
			attempts, _ := got["attempts"].([]any)
			for _, a := range attempts {
				one, _ := a.(map[string]any)
				takeTime(t, one, "started_at")
				if got["status"] == "retrying" || got["success"] != nil {
					takeTime(t, one, "ended_at")
				}
			}
			o := ordertest.Order(t)
			want := map[string]any{
				"id": orderID, "amount": 12.5, "items": []any{o.Items[0]}, "customer": o.Customer, "address": o.Address,
				"priority": 2.0, "queue": "default",
			}
			maps.Copy(want, row.want)
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
