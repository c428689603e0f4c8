package rules

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"orderprocessor/internal/order"
)

// expressions are of many kinds, from cheap ones to those that reach MaxCost.
func expressions() []string {
	long := func(term string, n int) string { return strings.Repeat(term+" || ", n) + term }
	return []string{
		`order.amount > money("500.00") && order.country == "DE"`,
		`order.metadata.exists(k, order.metadata[k].contains("fraud"))`,
		`order.items.exists(i, i.name.contains("gift card"))`,
		`order.items.exists(i, i.unit_price == 0 || i.quantity > 100)`,
		`order.items.map(i, i.name).exists(n, n == order.notes)`,
		`order.items.filter(i, i.name.size() > 499).size() > 1000`,
		`order.items.all(i, i.quantity * i.unit_price >= 0)`,
		`order.items.exists_one(i, i.sku == "x")`,
		`order.items.map(i, i.quantity > 0, i.name + i.sku + order.notes).size() > 1000`,
		`order.notes.matches("(?i)(gift|voucher|card|coupon)")`,
		`order.address.matches("(.*)(.*)(.*)z")`,
		`order.items.exists(i, i.name.matches("(?i)gift"))`,
		`order.items.exists(i, i.name.matches("(.{0,20}){0,4}z"))`,
		`order.items.exists(i, string(order.created_at) == i.name)`,
		`order.items.exists(i, i.name > order.notes && i.name < order.address)`,
		`order.items.exists(i, order.notes.size() == 7)`,
		long(`order.notes.contains("z")`, 60),
		`order.items.exists(i, ` + long(`i.name.size() == 1`, 60) + `)`,
		`order.items.exists(i, ` + long(`order.notes.size() == 1`, 60) + `)`,
		`order.items.exists(i, ` + long(`i.quantity + 1 == order.quantity`, 40) + `)`,
		`order.items.exists(i, ` + long(`string(i.quantity) == "z"`, 50) + `)`,
		`order.items.exists(i, ` + long(`order.created_at.getHours("-01:00") == 25`, 40) + `)`,
		`order.items.exists(i, ` + long(`i.name.startsWith(order.customer)`, 40) + `)`,
		`order.items.exists(i, ` + long(`i.name + order.notes == "z"`, 40) + `)`,
		`order.items.exists(i, [` + strings.TrimSuffix(strings.Repeat(`"abc",`, 100), ",") + `].exists(s, i.name.contains(s)))`,
		`order.items.exists(i, [1,2,3,4,5,6,7,8,9].exists(a, [1,2,3,4,5,6,7,8,9].exists(b, a * b == i.quantity * 1000)))`,
		`order.items.exists(i, i.name in [` + strings.TrimSuffix(strings.Repeat(`order.customer,`, 100), ",") + `])`,
		`order.items.map(i, [i.name, i.sku, order.notes]).exists(l, "z" in l)`,
		`(` + strings.TrimSuffix(strings.Repeat(`order.notes + `, 40), " + ") + `).size() == 1`,
		`order.items.exists(i, (` + strings.TrimSuffix(strings.Repeat(`order.notes + `, 40), " + ") + `).size() == 1)`,
	}
}

// largest returns the facts of an order that is at every bound. Its texts have four bytes
// for each character, or one.
func largest(char string) *subject {
	fill := func(n int) string { return strings.Repeat(char, n) }
	o := order.Order{ID: strings.Repeat("i", order.MaxIDChars), Content: order.Content{
		Amount: order.MaxMoney(2), Currency: "USD", Country: "DE", Priority: 3, Metadata: map[string]string{},
		Customer: fill(order.MaxCustomerChars), Address: fill(order.MaxAddressChars), Notes: fill(order.MaxNotesChars),
	}}
	for range order.MaxItems {
		o.Items = append(o.Items, order.Item{Name: fill(order.MaxItemChars), SKU: fill(order.MaxSKUChars), Quantity: order.MaxQuantity, UnitPrice: &order.Money{}})
	}
	for i := range order.MaxMetadataKeys {
		o.Metadata[strings.Repeat("k", order.MaxMetadataKeyChars-2)+string(rune('a'+i/26))+string(rune('a'+i%26))] = fill(order.MaxMetadataValueChars)
	}
	return &subject{Facts: Facts{Order: o, CreatedAt: time.Unix(1_800_000_000, 0)}}
}

// TestEstimates holds that no order costs more than the estimate by which the cost is
// measured or not, that whatever costs more than MaxCost fails, and that measuring changes
// no result.
func TestEstimates(t *testing.T) {
	t.Parallel()
	c, err := newCompiler()
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]*subject{"ASCII": largest("a"), "wide": largest("😀"), "empty": {}}
	over := 0
	for _, when := range expressions() {
		checked, issues := c.env.Compile(when)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		costs := c.costs.withPatterns(checked.NativeRep())
		estimate, err := c.env.EstimateCost(checked, costs)
		if err != nil {
			t.Fatal(err)
		}
		// A measurement that goes on for a while beyond the limit.
		measured, err := c.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(5*MaxCost), cel.CostTrackerOptions(costs.trackers()...))
		if err != nil {
			t.Fatal(err)
		}
		p, mistakes := c.compile(when)
		if len(mistakes) > 0 {
			t.Fatalf("%s: %+v", when, mistakes)
		}
		for name, s := range facts {
			result, details, _ := measured.Eval(s)
			cost := *details.ActualCost()
			if cost > estimate.Max {
				t.Errorf("%.80s costs %d with %s facts, and at most %d were estimated", when, cost, name, estimate.Max)
			}
			matched, err := p.matches(s)
			if errors.Is(err, errCost) != (cost > MaxCost) {
				t.Errorf("%.80s costs %d with %s facts: %v", when, cost, name, err)
			}
			if err == nil && types.Bool(matched) != result {
				t.Errorf("%.80s is %t with %s facts, and %v when its cost is measured", when, matched, name, result)
			}
			if cost > MaxCost {
				over++
			}
		}
	}
	if over < 10 {
		t.Errorf("only %d evaluations were over the limit", over)
	}
}

// TestCostLimitWhileTracing holds that the limit works while the state is tracked as well:
// the library once forgot it then.
func TestCostLimitWhileTracing(t *testing.T) {
	t.Parallel()
	c, err := newCompiler()
	if err != nil {
		t.Fatal(err)
	}
	checked, issues := c.env.Compile(`order.items.exists(i, order.notes.matches("(?i)gift"))`)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	for name, traced := range map[string]cel.EvalOption{"tracked": cel.OptTrackState, "exhaustive": cel.OptExhaustiveEval, "neither": cel.OptOptimize} {
		p, err := c.env.Program(checked, cel.EvalOptions(traced), cel.CostLimit(MaxCost))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (program{cel: p}).matches(largest("a")); !errors.Is(err, errCost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkCostliest tells how long rules at MaxCost take:
//
//	go test -run '^$' -bench Costliest ./internal/rules
func BenchmarkCostliest(b *testing.B) {
	c, err := newCompiler()
	if err != nil {
		b.Fatal(err)
	}
	for _, when := range expressions() {
		p, mistakes := c.compile(when)
		if len(mistakes) > 0 {
			b.Fatal(mistakes)
		}
		for _, char := range []string{"a", "😀"} {
			facts := largest(char).Facts
			b.Run(when[:min(len(when), 70)]+"/"+char, func(b *testing.B) {
				failed := error(nil)
				for b.Loop() {
					_, failed = p.matches(&subject{Facts: facts})
				}
				if errors.Is(failed, errCost) {
					b.ReportMetric(1, "stopped")
				}
			})
		}
	}
}
