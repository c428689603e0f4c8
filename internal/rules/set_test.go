package rules_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// facts returns what rules see of the full order of the tests, in dollars.
func facts(tb testing.TB, opts ...ordertest.Option) rules.Facts {
	tb.Helper()
	return rules.Facts{
		Order:     ordertest.Order(tb, append([]ordertest.Option{ordertest.Full}, opts...)...),
		CreatedAt: time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC), Currency: order.DefaultCurrency,
		Customer: order.CustomerFacts{Orders24h: 3, Amount24h: 2_000_00},
	}
}

// TestLanguage asks every fact of an order once, and every function that is ours.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, when := range []string{
		`order.id == "full"`, `order.amount == 99999`, `order.currency == "USD"`, `order.quantity == 7`,
		`order.customer == "Grace Hopper"`, `order.address.contains("Arlington")`, `order.country == "US"`,
		`order.priority == 3`, `order.notes.startsWith("Ring")`, `order.created_at.getHours() == 22`,
		`order.created_at == timestamp("2026-11-23T22:30:00Z")`, `order.created_at.getHours("+02:00") == 0`,
		`order.created_at - duration("1h") < timestamp("2026-11-23T22:00:00Z")`,
		`order.items.size() == 2`, `order.items.map(i, i.name) == ["tea", "cups"]`, `order.items.map(i, i.sku) == ["", "c-1"]`,
		`order.items.map(i, i.quantity) == [1, 6]`, `order.items.map(i, i.unit_price) == [0, 250]`,
		`order.items.map(i, has(i.unit_price)) == [false, true]`, `order.items.map(i, has(i.sku)) == [false, true]`, `has(order.items[0].name)`,
		`has(order.notes) && has(order.country) && has(order.address) && has(order.metadata) && has(order.amount)`,
		`order.metadata.basket == "77" && order.metadata["basket"] == "77"`, `order.metadata.none == "" && order.metadata["none"] == ""`,
		`"gift" in order.metadata && !("none" in order.metadata)`, `has(order.metadata.gift) && !has(order.metadata.none)`,
		`order.metadata.map(k, k) == ["basket", "gift"]`, `order.metadata.filter(k, order.metadata[k] == "") == ["gift"]`,
		`order.metadata.size() == 2 && order.metadata.exists(k, k == "gift")`, `order.metadata[order.items[0].name] == ""`,
		`(order.priority == 3 ? order.metadata : {"none": "x"})["none"] == ""`,
		`customer.orders_24h == 3 && customer.amount_24h == money("2000")`,
		`order.amount == money("999.99")`, `order.amount == money("999.999")`, `order.notes.matches("(?i)ring")`,
		`order.country in ["DE", "US"]`, `order.items.exists(order, order.name == "tea")`, `[1, 2].exists(customer, customer == 2)`,
		`order.items.exists(customer, customer.quantity == 6 && order.quantity == 7)`, `order.items.exists(order, order.name == "cups" && .order.amount > 1)`,
	} {
		set := mustParse(t, rule("when: "+quote(when), "tag: yes-it-is"))
		if d := set.Decide(facts(t)); !cmp.Equal(d.Tags, []string{"yes-it-is"}) {
			t.Errorf("%s: %+v", when, d)
		}
	}
	absent := rules.Facts{Currency: "EUR"}
	for _, when := range []string{
		`order.currency == "EUR"`, `order.metadata.size() == 0 && order.metadata.x == "" && !("x" in order.metadata) && !has(order.metadata)`,
		`order.quantity == 0 && !has(order.notes) && !has(order.country) && !has(order.address)`,
	} {
		if d := mustParse(t, rule("when: "+quote(when), "reject: bad")).Decide(absent); d.Action != order.ActionReject {
			t.Errorf("%s: %+v", when, d)
		}
	}
}

// TestMoney holds that amounts compare with money() as they do with what is written, in
// currencies with fewer decimals too.
func TestMoney(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		currency, amount, money string
		above                   bool
	}{
		{"JPY", "1000", "1000.00", false},
		{"JPY", "1001", "1000.99", true},
		{"JPY", "1000", "1000.99", false},
		{"USD", "1000.01", "1000.009", true},
		{"USD", "1000.00", "1000.009", false},
		{"KWD", "1000.001", "1000", true},
		{"KWD", "1000.000", "1000", false},
		{"CLF", "0.0001", "0", true},
		{"USD", "0.01", "-0.001", true},
		{"USD", "999999999999.99", "999999999999.99", false},
	} {
		set := mustParse(t, rule(`when: order.amount > money("`+row.money+`")`, "tag: above"))
		below := mustParse(t, rule(`when: order.amount <= money("`+row.money+`")`, "tag: below"))
		f := facts(t, ordertest.WithCurrency(row.currency), ordertest.WithAmount(row.amount), func(s *order.Submission) { s.Items = order.SubmittedNames("x") })
		if got := len(set.Decide(f).Tags) == 1; got != row.above || got == (len(below.Decide(f).Tags) == 1) {
			t.Errorf("%s %s above %s: %t", row.currency, row.amount, row.money, got)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	const always, never, fails = "'true'", "'false'", "1 / (order.amount - 99999) == 1"
	write := func(name, when, action string, more ...string) string {
		return "- name: " + name + "\n  when: " + when + "\n  " + strings.Join(append([]string{action}, more...), "\n  ") + "\n"
	}
	failed := func(name string, matched ...bool) order.Decision {
		return order.Decision{
			Action: order.ActionHold, Handling: order.HandlingStandard, Rule: name, Failed: true, Matched: matched,
			Reason: `rule "` + name + `" cannot be evaluated: division by zero`,
		}
	}
	for _, row := range []struct {
		name, rules string
		want        order.Decision
		queue       order.Queue
	}{
		{"no rules", "  []", order.Decision{Action: order.ActionApprove, Handling: order.HandlingStandard, Matched: []bool{}}, order.QueueLow},
		{
			"none matches", write("a", never, "reject: bad", "queue: critical"),
			order.Decision{Action: order.ActionApprove, Handling: order.HandlingStandard, Matched: []bool{false}},
			order.QueueLow,
		},
		{
			"tags until the first decision", write("a", always, "tag: x") + write("b", always, "tag: w", "queue: default") + write("c", always, "tag: x") +
				write("d", never, "hold: look") + write("e", always, "reject: bad", "queue: critical") + write("f", always, "tag: z"),
			order.Decision{Action: order.ActionReject, Rule: "e", Reason: "bad", Tags: []string{"x", "w"}, Matched: []bool{true, true, true, false, true}},
			order.QueueDefault,
		},
		{
			"handling", write("a", always, "handling: expedited") + write("b", always, "reject: bad"),
			order.Decision{Action: order.ActionApprove, Rule: "a", Handling: order.HandlingExpedited, Matched: []bool{true}},
			order.QueueLow,
		},
		{
			"queue behind the decision", write("a", always, "reject: bad") + write("b", always, "tag: x", "queue: critical"),
			order.Decision{Action: order.ActionReject, Rule: "a", Reason: "bad", Matched: []bool{true}},
			order.QueueCritical,
		},
		{
			"hold, later handling", write("a", always, "hold: look", "expires: 90m", "on_expiry: release") + write("b", always, "reject: bad") +
				write("c", fails, "handling: expedited") + write("d", never, "handling: expedited") + write("e", always, "tag: x") + write("f", always, "handling: priority"),
			order.Decision{
				Action: order.ActionHold, Rule: "a", Reason: "look", Handling: order.HandlingPriority, Matched: []bool{true},
				Hold: order.HoldTerm{Expires: 90 * time.Minute, Release: true},
			},
			order.QueueLow,
		},
		{
			"hold, rejected in the end", write("a", always, "hold: look", "expires: 1h"),
			order.Decision{
				Action: order.ActionHold, Rule: "a", Reason: "look", Handling: order.HandlingStandard, Matched: []bool{true},
				Hold: order.HoldTerm{Expires: time.Hour},
			},
			order.QueueLow,
		},
		{"failure of a rejection", write("a", never, "tag: x") + write("b", fails, "reject: bad", "queue: critical"), failed("b", false, false), order.QueueLow},
		{"failure of a tag", write("a", fails, "tag: x") + write("b", always, "reject: bad", "queue: default"), failed("a", false), order.QueueDefault},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := mustParse(t, "rules:\n"+row.rules)
			row.want.Version = set.Version()
			if diff := cmp.Diff(row.want, set.Decide(facts(t))); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if got := set.Queue(facts(t)); got != row.queue {
				t.Errorf("queue %s, want %s", got, row.queue)
			}
		})
	}
}

// TestFailures holds that whatever goes wrong in a rule holds the order, and says so.
func TestFailures(t *testing.T) {
	t.Parallel()
	broken := facts(t)
	broken.Order.Amount.Decimals = 9 // no order has that; it stands for a mistake of ours
	long := strings.Repeat("n", rules.MaxNameChars)
	for _, row := range []struct {
		when, want string
		facts      rules.Facts
	}{
		{`order.amount / (order.quantity - 7) > 1`, "division by zero", facts(t)},
		{`order.amount % (order.quantity - 7) > 1`, "modulus by zero", facts(t)},
		{`order.amount * 9223372036854775807 > 1`, "integer overflow", facts(t)},
		{`order.items[order.quantity].name == ""`, "index out of bounds: 7", facts(t)},
		{`int(order.notes) > 1`, "type conversion error", facts(t)},
		{`timestamp(order.notes) > order.created_at`, "", facts(t)},
		{`{"a": 1}[order.notes] == 1`, "no such key: Ring twice.", facts(t)},
		{`order.amount > money("1")`, "internal error", broken},
	} {
		set := mustParse(t, strings.Replace(rule("when: "+quote(row.when), "reject: bad"), "name: a", "name: "+long, 1))
		d := set.Decide(row.facts)
		if d.Action != order.ActionHold || d.Rule != long || d.Hold != (order.HoldTerm{}) || !strings.Contains(d.Reason, row.want) || len([]rune(d.Reason)) > order.MaxReasonChars {
			t.Errorf("%s: %+v", row.when, d)
		}
		if got := set.Queue(row.facts); got != order.QueueLow {
			t.Errorf("%s: queue %s", row.when, got)
		}
	}
}

func TestAsksCustomer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		when, more  string
		asks, queue bool
	}{
		{`order.customer == "x"`, "queue: low", false, false},
		{`order.items.exists(customer, customer.name == "x")`, "queue: low", false, false},
		{`order.amount > 1 && [1].exists(x, x < customer.orders_24h)`, "queue: low", true, true},
		{`customer.amount_24h > money("1")`, "", true, false},
	} {
		set := mustParse(t, rule("when: "+quote(row.when), "reject: bad", row.more))
		if set.AsksCustomer() != row.asks || set.QueueAsksCustomer() != row.queue {
			t.Errorf("%s: %t, for the queue %t", row.when, set.AsksCustomer(), set.QueueAsksCustomer())
		}
		f := facts(t)
		if d := set.Decide(f); (d.Customer != nil) != row.asks || row.asks && *d.Customer != f.Customer {
			t.Errorf("%s: customer %+v", row.when, d.Customer)
		}
	}
}

// TestView holds that the view has what rules see, under the same names.
func TestView(t *testing.T) {
	t.Parallel()
	f := facts(t)
	price := int64(250)
	want := rules.View{
		Order: rules.OrderView{
			ID: "full", Amount: 99999, Currency: "USD", Quantity: 7, Customer: "Grace Hopper", Address: "1 Main Street\nArlington",
			Country: "US", Priority: 3, Notes: "Ring twice.", Metadata: map[string]string{"basket": "77", "gift": ""},
			Items:     []rules.ItemView{{Name: "tea", Quantity: 1}, {Name: "cups", SKU: "c-1", Quantity: 6, UnitPrice: price}},
			CreatedAt: order.Timestamp{Time: f.CreatedAt},
		},
		Customer: rules.CustomerView{Orders24h: 3, Amount24h: 2_000_00},
	}
	if diff := cmp.Diff(want, f.View()); diff != "" {
		t.Error(diff)
	}
	for object, expression := range map[string]string{"order": "order.x", "customer": "customer.x", "items": "order.items[0].x"} {
		problem := problemsOf(t, rule("when: "+expression+" == 1", "reject: bad"))[0]
		_, fields, _ := strings.Cut(problem, " has ")
		if diff := cmp.Diff(strings.Split(fields, ", "), keys(t, f.View(), object)); diff != "" {
			t.Errorf("fields of %s (-rules +view):\n%s", object, diff)
		}
	}
}

// keys returns the names in the JSON of a part of a view, in their order.
func keys(t *testing.T, view rules.View, part string) []string {
	t.Helper()
	from := map[string]any{"order": view.Order, "customer": view.Customer, "items": view.Order.Items[0]}[part]
	kind := reflect.TypeOf(from)
	var names []string
	for i := range kind.NumField() {
		names = append(names, kind.Field(i).Tag.Get("json"))
	}
	return names
}

// TestConcurrentDecisions holds that a set may be shared.
func TestConcurrentDecisions(t *testing.T) {
	t.Parallel()
	set := mustParse(t, rule(`when: order.items.exists(i, i.name.matches("(.*)(.*)x")) || order.metadata.a == string(customer.orders_24h)`, "reject: bad"))
	f := facts(t)
	want := set.Decide(f)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if diff := cmp.Diff(want, set.Decide(f)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	group.Wait()
}
