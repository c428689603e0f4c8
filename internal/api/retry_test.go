package api_test

import (
	"testing"

	"orderprocessor/internal/order"
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
