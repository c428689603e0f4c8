package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestCancelWhileTheShopMayHaveTheOrder answers with a type of its own.
func TestCancelWhileTheShopMayHaveTheOrder(t *testing.T) {
	b := open(t)
	b.reach(t, orderID, order.StatusPending)
	c := claim(orderID, "a", order.HandlingStandard)
	c.CallsShop = true
	_, err := b.ledger.Begin(t.Context(), c)
	must(t, err)
	must(t, b.ledger.Fail(t.Context(), c, order.Failure{Error: "no answer", RetryIn: time.Minute, Unknown: true}))
	p := b.ask(t, "POST", "/orders/ord_1/cancel", "").problem(t, 409)
	if p.Type != typeUnknown || p.OrderStatus != order.StatusRetrying {
		t.Errorf("problem is %+v", p)
	}
}

// TestCancelAgain keeps the first reason, and removes a task that is due far in the future.
func TestCancelAgain(t *testing.T) {
	b := open(t)
	scheduled := body("process_at", jsonTime(time.Hour))
	b.ask(t, "POST", "/orders", scheduled).object(t, 201)
	b.checkTasks(t, "scheduled", 1)
	first := b.ask(t, "POST", "/orders/ord_1/cancel", `{"reason":"first"}`)
	first.object(t, 200)
	b.checkTasks(t, "scheduled", 0)
	for _, text := range []string{`{"reason":"second"}`, `{}`, ``} {
		again := b.ask(t, "POST", "/orders/ord_1/cancel", text)
		if again.object(t, 200); string(again.body) != string(first.body) {
			t.Errorf("%s: the answer is %s; it was %s", text, again.body, first.body)
		}
	}
	if got := b.ask(t, "POST", "/orders", scheduled).object(t, 200)["status"]; got != "cancelled" {
		t.Errorf("sent again, the order is %v", got)
	}
}

// TestCancelReasons keeps a reason as it was sent, and cancels nothing unless all of the
// body is valid.
func TestCancelReasons(t *testing.T) {
	b := open(t)
	i := 0
	for text, want := range map[string]any{
		``: nil, `{}`: nil, " {\n}\t": nil,
		`{"reason":"<b>\u00e9\"\\ \ud83d\ude00"}`: `<b>é"\ 😀`,
		`{"reason":` + quoted(250, "😀") + `}`:     strings.Repeat("😀", 250),
	} {
		i++
		id := fmt.Sprint("o", i)
		b.reach(t, id, order.StatusPending)
		if got := b.ask(t, "POST", "/orders/"+id+"/cancel", text).object(t, 200)["cancel_reason"]; got != want {
			t.Errorf("%.60s: the reason is %.60v", text, got)
		}
	}
	b.reach(t, orderID, order.StatusPending)
	for text, want := range map[string][]string{
		`{"reason":` + quoted(251, "é") + `}`: {"reason too_long"},
		`{"reason":""}`:                       {"reason required"},
		`{"reason":" \t "}`:                   {"reason required"},
		`{"reason":"a\nb"}`:                   {"reason invalid"},
		`{"reason":1}`:                        {"reason wrong_type"},
		`{"reason":{},"why":"x","because":1}`: {"reason wrong_type", "because unknown_field", "why unknown_field"},
		`[]`:                                  nil,
		`{"reason":"x"`:                       nil,
		`{"reason":"x","reason":"y"}`:         nil,
	} {
		b.checkRefused(t, "POST", "/orders/ord_1/cancel", text, want...)
	}
	if got := b.status(t, orderID); got != order.StatusPending {
		t.Errorf("the order is %s", got)
	}
}

// TestCancelWithoutRead shows nothing of an order to a key that may not read it.
func TestCancelWithoutRead(t *testing.T) {
	b := open(t, withKeys)
	b.ask(t, "POST", "/orders", body(), "Authorization", "Bearer submit-key").object(t, 201)
	for range 2 {
		got := b.ask(t, "POST", "/orders/ord_1/cancel", `{"reason":"twice"}`, "Authorization", "Bearer submit-key").object(t, 200)
		want := map[string]any{"id": "ord_1", "status": "cancelled", "cancel_reason": "twice"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if got := b.ask(t, "POST", "/orders/ord_1/cancel", "", "Authorization", "Bearer all-key").object(t, 200); got["customer"] == nil {
		t.Errorf("a key that may read is answered %v", got)
	}
}
