package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestEndHold releases and rejects orders: the answer has the order as it is from then on,
// and a second one of the same kind changes nothing.
func TestEndHold(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		path, body, again string
		code              int
		status            order.Status
		err, reason       any
		tasks             int
	}{
		"release":           {"release", "", `{"reason":"again"}`, 202, order.StatusPending, nil, nil, 1},
		"release for cause": {"release", `{"reason":"called him"}`, "", 202, order.StatusPending, nil, "called him", 1},
		"reject":            {"reject", `{"reason":"fraud"}`, `{"reason":"again"}`, 200, order.StatusRejected, "fraud", "fraud", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, withKeys)
			b.reach(t, orderID, order.StatusHeld)
			path := "/orders/ord_1/" + row.path
			a := b.ask(t, "POST", path, row.body, "Authorization", "Bearer all-key")
			got := a.object(t, row.code)
			if got["status"] != string(row.status) || got["error"] != row.err || a.header.Get("Location") != "/orders/ord_1" {
				t.Errorf("answered %s, %v", a.body, a.header)
			}
			again := b.ask(t, "POST", path, row.again, "Authorization", "Bearer all-key").object(t, row.code)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("the second answer differs:\n%s", diff)
			}
			b.checkTasks(t, "pending", row.tasks)
			events, _ := b.ask(t, "GET", "/orders/ord_1/events", "", "Authorization", "Bearer read-key").object(t, 200)["events"].([]any)
			last, _ := events[len(events)-1].(map[string]any)
			if len(events) != 3 || last["status"] != string(row.status) || last["actor"] != "all" || last["reason"] != row.reason {
				t.Errorf("the last of %d events is %v", len(events), last)
			}
		})
	}
}

// TestEndHoldRefused checks who is told what when an order is not held, and which bodies
// are refused before anything happens.
func TestEndHoldRefused(t *testing.T) {
	b := open(t)
	for _, status := range order.Statuses() {
		id := "o-" + string(status)
		b.reach(t, id, status)
		if status == order.StatusHeld {
			continue
		}
		for _, path := range []string{"/release", "/reject"} {
			p := b.ask(t, "POST", "/orders/"+id+path, `{"reason":"x"}`).problem(t, 409)
			if p.Type != typeStatus || p.OrderStatus != status {
				t.Errorf("%s%s: %+v", id, path, p)
			}
		}
	}
	for _, path := range []string{"release", "reject"} {
		b.ask(t, "POST", "/orders/none/"+path, `{"reason":"x"}`).problem(t, 404)
		for text, want := range map[string]string{
			`{"reason":` + quoted(251, "é") + `}`: "reason too_long",
			`{"reason":" "}`:                      "reason required",
			`{"reason":1}`:                        "reason wrong_type",
			`{"reason":"x","why":1}`:              "why unknown_field",
		} {
			b.checkRefused(t, "POST", "/orders/o-held/"+path, text, want)
		}
		b.checkRefused(t, "POST", "/orders/o-held/"+path, `{"reason":"x"`)
		b.ask(t, "POST", "/orders/o-held/"+path, `{"reason":"x"}`, "Content-Type", "text/plain").problem(t, 415)
	}
	b.checkRefused(t, "POST", "/orders/o-held/reject", `{}`, "reason required")
	if got := b.status(t, "o-held"); got != order.StatusHeld {
		t.Errorf("the order is %s", got)
	}
	b.checkTasks(t, "pending", 0)
}
