package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/test/kit"
)

// inForce is when a version decides on all processes, with half a second to spare.
const inForce = 2500 * time.Millisecond

// reviewing is a set of rules of every kind.
const reviewing = `rules:
  - name: embargo
    when: order.country == "KP"
    reject: we do not deliver there
  - name: gift
    when: order.metadata.kind == "gift"
    tag: gift
    queue: low
  - name: waits for release
    when: order.metadata.kind == "waits for release"
    hold: wait a little
    expires: 1s
    on_expiry: release
  - name: waits for rejection
    when: order.metadata.kind == "waits for rejection"
    hold: nobody looked
    expires: 1s
  - name: frequent
    when: customer.orders_24h >= 3 && customer.amount_24h > money("30")
    handling: expedited
  - name: large
    when: order.amount > money("500.00")
    hold: call the customer
`

// ruled is a system of two APIs and two workers, with a shop that takes everything.
type ruled struct {
	*system
	apis [2]*kit.API
	shop *shop
	sent int
}

func startRuled(t *testing.T) *ruled {
	t.Helper()
	r := &ruled{system: start(t), shop: openShop(t, func(string, int) int { return http.StatusOK })}
	for i := range r.apis {
		r.apis[i] = r.anotherAPI("ORDERS_CURRENCIES=USD,JPY,KWD")
		r.apis[i].AwaitServing()
		r.worker("ORDERS_FULFILMENT_URL=" + r.shop.url)
	}
	return r
}

// order submits an order of a customer of its own, to each API in turn, with some fields
// changed.
func (r *ruled) order(id, currency, amount string, more ...string) {
	r.t.Helper()
	fields := map[string]any{
		"id": id, "currency": currency, "amount": json.Number(amount), "items": []string{"tea"}, "customer": id + "@example.com", "address": "1 Main Street",
	}
	for i := 0; i < len(more); i += 2 {
		fields[more[i]] = more[i+1]
		if more[i] == "kind" {
			delete(fields, "kind")
			fields["metadata"] = map[string]string{"kind": more[i+1]}
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		r.t.Fatal(err)
	}
	r.sent++
	if got := r.apis[r.sent%2].Send("POST", "/orders", string(body)); got.Code != http.StatusCreated {
		r.t.Fatalf("%s answered %d: %s", body, got.Code, got.Body)
	}
}

// become waits until orders have a status, and the shop knows those that were worked.
func (r *ruled) become(want order.Status, ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		r.until(fmt.Sprintf("%s is %s", id, want), func() bool { return r.Order(id).Status == want })
		if calls := r.shop.called(id); calls != map[order.Status]int{order.StatusCompleted: 1}[want] {
			r.t.Errorf("the shop was called %d times for %s, which is %s", calls, id, want)
		}
	}
}

// do sends a request to one of the APIs, which must be answered so.
func (r *ruled) do(method, path, body string, code int) []byte {
	r.t.Helper()
	r.sent++
	got := r.apis[r.sent%2].Send(method, path, body)
	if got.Code != code {
		r.t.Fatalf("%s %s answered %d, want %d: %s", method, path, got.Code, code, got.Body)
	}
	return got.Body
}

// activate puts a version in force, and waits until it is.
func (r *ruled) activate(version string) {
	r.t.Helper()
	r.do("POST", "/rules/"+version+"/activate", "", http.StatusOK)
	r.until("it is in force", pastOnce(inForce))
}

func (r *ruled) decision(id string) client.Decision {
	r.t.Helper()
	return decode[client.Decision](r.t, r.do("GET", "/orders/"+id+"/decision", "", http.StatusOK))
}

// push stores the set in YAML and in JSON, after one that is wrong.
func (r *ruled) push() (version string) {
	r.t.Helper()
	wrong := strings.Replace(reviewing, "order.country", "order.contry", 1)
	got := r.Send("POST", "/rules", wrong, "Content-Type", "application/yaml")
	if got.Code != http.StatusBadRequest || !strings.Contains(string(got.Body), `"rules[0].when"`) || !strings.Contains(string(got.Body), "line 3, column 17: ") {
		r.t.Errorf("a wrong set is answered %d: %s", got.Code, got.Body)
	}
	got = r.Send("POST", "/rules", reviewing, "Content-Type", "application/yaml")
	version = decode[client.RuleSet](r.t, got.Body).Version
	stored := decode[client.RuleSet](r.t, r.do("GET", "/rules/"+version, "", http.StatusOK))
	asJSON, err := json.Marshal(map[string]any{"rules": stored.Rules})
	if err != nil {
		r.t.Fatal(err)
	}
	if again := decode[client.RuleSet](r.t, r.do("POST", "/rules", string(asJSON), http.StatusOK)).Version; got.Code != http.StatusCreated || again != version {
		r.t.Errorf("answered %d; in JSON version %s is %s", got.Code, version, again)
	}
	return version
}

// TestRules takes a rule set from its first push to the way back, over HTTP alone.
func TestRules(t *testing.T) {
	r := startRuled(t)
	for id, amount := range map[string]string{"usd-500.00": "500.00", "usd-600": "600", "jpy-500": "500", "jpy-501": "501", "kwd-500.000": "500.000", "kwd-500.001": "500.001"} {
		r.order(id, strings.ToUpper(id[:3]), amount)
	}
	r.untilProcessed(6)
	version := r.push()

	so := decode[client.Simulation](t, r.do("POST", "/rules/"+version+"/simulate", "", http.StatusOK))
	if len(so.Transitions) != 1 || so.Orders != 6 || so.Changed != 3 || so.Transitions[0].To != "hold" ||
		fmt.Sprint(so.Transitions[0].Amounts) != "map[JPY:501 KWD:500.001 USD:600.00]" {
		t.Errorf("simulated: %+v", so)
	}

	r.do("POST", "/rules/"+version+"/shadow", "", http.StatusOK)
	r.until("it is the shadow", pastOnce(inForce))
	r.order("shadowed", "USD", "600")
	r.become(order.StatusCompleted, "shadowed")
	if d := r.decision("shadowed"); d.Version != "builtin" || d.Shadow == nil || d.Shadow.Rule != "large" || d.Shadow.Version != version {
		t.Errorf("with a shadow: %+v", d)
	}
	all := decode[client.RuleSets](t, r.do("GET", "/rules", "", http.StatusOK))
	if d := all.ShadowDecisions; all.Shadow != version || d == nil || d.Orders != 1 || d.Changed != 1 || d.Transitions[0].To != "hold" {
		t.Errorf("with a shadow: %+v", all)
	}
	r.do("DELETE", "/rules/shadow", "", http.StatusOK)

	r.activate(version)
	r.checkDecisions(version)
	r.checkHolds()

	r.order("kept", "USD", "600")
	r.become(order.StatusHeld, "kept")
	r.activate("builtin")
	r.order("back", "USD", "600")
	r.become(order.StatusCompleted, "back")
	r.become(order.StatusHeld, "kept")
	if d := r.decision("back"); d.Version != "builtin" {
		t.Errorf("after the way back: %+v", d)
	}
	r.do("POST", "/orders/kept/release", "", http.StatusAccepted)
	r.become(order.StatusCompleted, "kept")
	if st := r.Stats(); st.Ledger.Drift != 0 || st.ByStatus["held"] != 0 {
		t.Errorf("at last: %+v", st)
	}
}

// checkDecisions sends orders that the rules of the set decide, and has them explained.
func (r *ruled) checkDecisions(version string) {
	r.t.Helper()
	for n := range 8 { // through both APIs, to both workers
		id := fmt.Sprint("gift-", n)
		r.order(id, "USD", "12.50", "kind", "gift")
		r.become(order.StatusCompleted, id)
		d, o := r.decision(id), r.Order(id)
		if d.Version != version || !slices.Equal(d.Tags, []string{"gift"}) || o.Queue != order.QueueLow || len(d.Rules) != 6 || !d.Rules[1].Matched || d.Rules[5].Matched {
			r.t.Errorf("%s in queue %s: %+v", id, o.Queue, d)
		}
	}
	r.order("embargo", "USD", "1", "country", "KP")
	r.become(order.StatusRejected, "embargo")
	for n, want := range []order.Handling{order.HandlingStandard, order.HandlingStandard, order.HandlingExpedited} {
		id := fmt.Sprint("frequent-", n)
		r.order(id, "KWD", "10.001", "customer", "ada@example.com")
		r.become(order.StatusCompleted, id)
		d := r.decision(id)
		if d.Handling != want || d.Facts.Customer == nil || *d.Facts.Customer != (client.CustomerFacts{Orders24h: int64(n + 1), Amount24h: int64(n+1) * 10_001}) {
			r.t.Errorf("%s: %+v", id, d)
		}
	}
	for id, amount := range map[string]string{"usd-at": "500.00", "jpy-at": "500", "kwd-at": "500.000"} {
		r.order(id, strings.ToUpper(id[:3]), amount)
		r.become(order.StatusCompleted, id)
	}
}

// checkHolds ends holds in every way: the shop hears of released orders alone.
func (r *ruled) checkHolds() {
	r.t.Helper()
	r.order("usd-above", "USD", "500.01")
	r.order("jpy-above", "JPY", "501")
	r.order("kwd-above", "KWD", "500.001")
	r.become(order.StatusHeld, "usd-above", "jpy-above", "kwd-above")
	var page struct{ Orders []client.Order }
	if err := r.Get("/orders?status=held", &page); err != nil || len(page.Orders) != 3 {
		r.t.Errorf("the held orders are %+v, %v", page.Orders, err)
	}
	r.do("POST", "/orders/jpy-above/reject", "{}", http.StatusBadRequest)
	r.do("POST", "/orders/usd-above/release", `{"reason":"called"}`, http.StatusAccepted)
	r.do("POST", "/orders/jpy-above/reject", `{"reason":"fraud"}`, http.StatusOK)
	r.do("POST", "/orders/kwd-above/cancel", "", http.StatusOK)
	r.do("POST", "/orders/jpy-above/release", "", http.StatusConflict)
	r.do("POST", "/orders/kwd-above/reject", `{"reason":"fraud"}`, http.StatusConflict)
	r.order("expires", "USD", "1", "kind", "waits for release")
	r.order("expires-too", "USD", "1", "kind", "waits for rejection")
	r.become(order.StatusCompleted, "usd-above", "expires")
	r.become(order.StatusRejected, "jpy-above", "expires-too")
	r.become(order.StatusCancelled, "kwd-above")
	for id, actor := range map[string]string{"usd-above": "anonymous", "jpy-above": "anonymous", "expires": order.ActorExpiry, "expires-too": order.ActorExpiry} {
		events := decode[client.Timeline](r.t, r.do("GET", "/orders/"+id+"/events", "", http.StatusOK)).Events
		if events[1].Status != order.StatusHeld || events[2].Actor != actor {
			r.t.Errorf("the timeline of %s is %+v", id, events)
		}
	}
}
