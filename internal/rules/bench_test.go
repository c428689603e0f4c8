package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// many returns n typical rules, of which none decides.
func many(n int) string {
	kinds := []string{
		`order.amount > money("50000.00") && order.country == "DE"`,
		`order.country in ["KP", "IR", "SY"]`,
		`order.metadata.risk == "high"`,
		`order.items.exists(i, i.unit_price == 0 && has(i.unit_price) && i.quantity > 10)`,
		`order.customer.endsWith("@example.com") && order.amount > money("100")`,
	}
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range n {
		fmt.Fprintf(&text, "- {name: rule %d, when: %s, reject: bad}\n", i, quote(kinds[i%len(kinds)]))
	}
	return text.String()
}

// BenchmarkDecide compares the rules of the settings with the same as data, and with 50
// typical rules for an order of three items.
func BenchmarkDecide(b *testing.B) {
	o := ordertest.Order(b, ordertest.Full, ordertest.WithItems(3))
	f := rules.Facts{Order: o, Currency: order.DefaultCurrency}
	b.Run("settings", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			settings(shop).decide(o)
		}
	})
	for name, set := range map[string]*rules.Set{
		"builtin": rules.Builtin(shop), "50 rules": mustParse(b, many(50)),
		"50 amounts": mustParse(b, "rules:\n"+amounts(50)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Decide(f)
			}
		})
	}
}

func amounts(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "- {name: rule %d, when: 'order.amount > money(\"500.00\") && order.country == \"DE\"', reject: bad}\n", i)
	}
	return text.String()
}

// BenchmarkParse compiles 50 typical rules.
func BenchmarkParse(b *testing.B) {
	source := []byte(many(50))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rules.Parse(source); err != nil {
			b.Fatal(err)
		}
	}
}
