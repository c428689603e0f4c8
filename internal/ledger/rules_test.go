package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestRuleSets checks that versions are stored once and never change, and which are in force.
func TestRuleSets(t *testing.T) {
	b := open(t)
	want := func(in order.RulesInForce, sets ...order.RuleSet) {
		t.Helper()
		stored, now, err := b.RuleSets(t.Context())
		must(t, err)
		if diff := cmp.Diff(sets, stored, ignoreTimes); diff != "" || now != in {
			t.Errorf("in force is %+v, want %+v; rule sets (-want +got):\n%s", now, in, diff)
		}
		if alone, err := b.RulesInForce(t.Context()); alone != in || err != nil {
			t.Errorf("in force alone is %+v, %v", alone, err)
		}
	}
	save := func(set order.RuleSet) bool {
		t.Helper()
		isNew, err := b.SaveRules(t.Context(), set, "q1")
		must(t, err)
		return isNew
	}
	one := order.RuleSet{Version: "v1", CreatedBy: "ops", Source: []byte("rules: []")}
	two := order.RuleSet{Version: "v2", CreatedBy: "ops", Source: []byte("rules: [] # two")}
	want(order.RulesInForce{Active: "builtin"})
	b.breaker.Break(redistest.ReplyLost, redistest.Script("orders:"))
	if _, err := b.SaveRules(t.Context(), one, "q1"); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("a lost reply answered %v", err)
	}
	again := one
	again.CreatedBy = "another"
	if save(again) || !save(two) {
		t.Error("v1 is new again, or v2 is not new")
	}
	must(t, b.ActivateRules(t.Context(), "v1", order.Intervention{Actor: "ops"}))
	must(t, b.ShadowRules(t.Context(), "v2", order.Intervention{Actor: "ops"}))
	want(order.RulesInForce{Active: "v1", Shadow: "v2"}, two, one)
	must(t, b.ActivateRules(t.Context(), "v2", order.Intervention{Actor: "ops"}))
	want(order.RulesInForce{Active: "v2"}, two, one)
	must(t, b.ActivateRules(t.Context(), "v1", order.Intervention{Actor: "ops"}))
	must(t, b.ShadowRules(t.Context(), "v2", order.Intervention{Actor: "ops"}))
	must(t, b.ShadowRules(t.Context(), "", order.Intervention{Actor: "ops"}))
	want(order.RulesInForce{Active: "v1"}, two, one)
	if got, err := b.RuleSet(t.Context(), "v1"); err != nil || !cmp.Equal(got, one, ignoreTimes) || got.CreatedAt.IsZero() {
		t.Errorf("v1 is %+v, %v", got, err)
	}
	for _, version := range []string{"v3", "active", "shadow", "builtin"} {
		if _, err := b.RuleSet(t.Context(), version); !errors.Is(err, order.ErrNoRules) {
			t.Errorf("version %s answered %v", version, err)
		}
	}
	for i := 2; i < order.MaxRuleSets; i++ {
		save(order.RuleSet{Version: fmt.Sprint("n", i)})
	}
	if _, err := b.SaveRules(t.Context(), order.RuleSet{Version: "one too many"}, "q1"); !errors.Is(err, order.ErrTooManyRules) {
		t.Errorf("one too many answered %v", err)
	}
}

// TestCustomerFacts checks which orders of a customer count.
func TestCustomerFacts(t *testing.T) {
	b := open(t)
	at := time.Now()
	made := func(id, customer string, currency order.Currency, age time.Duration) order.Order {
		o := sample(id)
		o.Customer, o.Currency = customer, currency
		b.do(t, accept(o))
		b.backdate(t, id, at.Add(-age))
		return o
	}
	first := made("o1", "ada", "", time.Second)
	made("o2", "ada", "USD", time.Hour)
	made("o3", "ada", "EUR", 23*time.Hour)
	made("o4", "ada", "", 25*time.Hour)
	made("o5", "bob", "", time.Minute)
	fresh := sample("o6")
	fresh.Customer = "ada"
	for name, row := range map[string]struct {
		order order.Order
		at    time.Time
		want  order.CustomerFacts
	}{
		"an order in the books":           {first, at, order.CustomerFacts{Orders24h: 3, Amount24h: 2500}},
		"an order that is being accepted": {fresh, at, order.CustomerFacts{Orders24h: 4, Amount24h: 3750}},
		"as of an hour ago":               {fresh, at.Add(-time.Hour), order.CustomerFacts{Orders24h: 3, Amount24h: 2500}},
	} {
		got, err := b.CustomerFacts(t.Context(), row.order, row.at, "USD")
		if err != nil || got != row.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, row.want)
		}
	}
}
