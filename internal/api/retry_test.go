package api_test

import (
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestRetryEveryStatus gives what failed or was rejected another run, and says
// what the order is instead of the rest.
func TestRetryEveryStatus(t *testing.T) {
	b := open(t)
	for _, status := range order.Statuses() {
		t.Run(string(status), func(t *testing.T) {
			id := string(status)
			b.reach(t, id, status)
			before := b.ask(t, "GET", "/orders/"+id, "")
			a := b.ask(t, "POST", "/orders/"+id+"/retry", "")
			if !status.Retryable() {
				if p := a.problem(t, 409); p.Type != typeStatus || p.OrderStatus != status {
					t.Errorf("problem is %+v", p)
				}
				if after := b.ask(t, "GET", "/orders/"+id, ""); string(after.body) != string(before.body) {
					t.Errorf("the order was %s, it is %s", before.body, after.body)
				}
				return
			}
			got := a.object(t, 202)
			attempts, _ := got["attempts"].([]any)
			if got["status"] != "pending" || len(attempts) != 1 || got["processed_at"] != nil || got["success"] != nil {
				t.Errorf("order is %v", got)
			}
			if location := a.header.Get("Location"); location != "/orders/"+id {
				t.Errorf("Location is %q", location)
			}
			if after := b.ask(t, "GET", "/orders/"+id, ""); string(after.body) != string(a.body) {
				t.Errorf("the order is %s, the answer was %s", after.body, a.body)
			}
			if p := b.ask(t, "POST", "/orders/"+id+"/retry", "").problem(t, 409); p.OrderStatus != order.StatusPending {
				t.Errorf("retried again, the order is %q", p.OrderStatus)
			}
		})
	}
	if n := b.tasks(t, "pending"); n != 2 {
		t.Errorf("%d tasks wait; want 2", n)
	}
}

// TestRetryUnknown finds no order.
func TestRetryUnknown(t *testing.T) {
	b := open(t)
	for _, id := range []string{"unknown", "a%20b", "a%2Fb", "%00", strings.Repeat("x", 65), "%C3%A9"} {
		if p := b.ask(t, "POST", "/orders/"+id+"/retry", "").problem(t, 404); p.Detail != "There is no order with this id." {
			t.Errorf("%s: detail is %q", id, p.Detail)
		}
	}
	b.empty(t)
}

// TestRetryWhenFull waits until there is room.
func TestRetryWhenFull(t *testing.T) {
	b := open(t, maxQueueLength(1))
	b.reach(t, "first", order.StatusFailed)
	b.reach(t, "second", order.StatusFailed)
	b.ask(t, "POST", "/orders/first/retry", "").object(t, 202)
	for _, id := range []string{"second", "first", "unknown"} {
		a := b.ask(t, "POST", "/orders/"+id+"/retry", "")
		if p := a.problem(t, 503); p.Type != typeNoRoom || a.header.Get("Retry-After") != "10" {
			t.Errorf("%s: type is %q, headers %v", id, p.Type, a.header)
		}
	}
	if got := b.status(t, "second"); got != order.StatusFailed {
		t.Errorf("the order is %s", got)
	}
}

// TestRetryTakesRoom counts an order that waits again, and not one that could
// not be retried.
func TestRetryTakesRoom(t *testing.T) {
	b := open(t, maxQueueLength(2))
	b.reach(t, "done", order.StatusCompleted)
	b.reach(t, "failed", order.StatusFailed)
	for range 5 {
		b.ask(t, "POST", "/orders/done/retry", "").problem(t, 409)
		b.ask(t, "POST", "/orders/unknown/retry", "").problem(t, 404)
	}
	b.ask(t, "POST", "/orders/failed/retry", "").object(t, 202)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	b.ask(t, "POST", "/orders", body("id", `"too-many"`)).problem(t, 503)
}

// TestRetryAfterLostAnswer counts a retry once, and says what the order is when
// it is asked again.
func TestRetryAfterLostAnswer(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			b.reach(t, "ord_1", order.StatusFailed)
			breaker := &redistest.Breaker{}
			b.rdb.AddHook(breaker)
			breaker.Break(fault, redistest.Script("orders:"))
			b.ask(t, "POST", "/orders/ord_1/retry", "").problem(t, 503)
			again := b.ask(t, "POST", "/orders/ord_1/retry", "")
			if fault == redistest.NotApplied {
				again.object(t, 202)
			} else if p := again.problem(t, 409); p.OrderStatus != order.StatusPending {
				t.Errorf("the order is %q", p.OrderStatus)
			}
			if n := b.rdb.HGet(t.Context(), "orders:{b0}:c", "retried").Val(); n != "1" {
				t.Errorf("%s retries are counted; want 1", n)
			}
		})
	}
}
