package rules_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// settings decide as the service did before rules were data.
type settings rules.Limits

func (s settings) decide(o order.Order) decision {
	switch {
	case o.Amount.Compare(s.MaxAmount) > 0:
		return rejected(rules.ReasonAmountLimit)
	case len(o.Items) > s.MaxItems:
		return rejected(rules.ReasonItemLimit)
	case s.highValue(o):
		return approved(order.HandlingPriority)
	case o.Priority == order.PriorityHigh:
		return approved(order.HandlingExpedited)
	default:
		return approved(order.HandlingStandard)
	}
}

func (s settings) queue(o order.Order) order.Queue {
	if s.highValue(o) {
		return order.QueueCritical
	}
	return o.Priority.Queue()
}

func (s settings) highValue(o order.Order) bool { return o.Amount.Compare(s.HighValueAbove) > 0 }

// TestBuiltin holds the builtin rules to those of the settings, around every limit.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, o := drawCase(t)
		r.HighValueAbove.Minor -= rapid.Int64Range(0, r.HighValueAbove.Minor).Draw(t, "less") // zero is allowed
		o.Currency = order.Currency(rapid.SampledFrom([]string{"", "JPY", "USD", "KWD"}).Draw(t, "currency"))
		if o.Currency != "" {
			o.Amount.Decimals = o.Currency.Decimals()
		}
		o.Amount.Minor -= rapid.Int64Range(0, o.Amount.Minor).Draw(t, "free")
		for i := range o.Items {
			o.Items[i] = drawItem(t, o.Amount.Decimals)
		}
		facts := rules.Facts{Order: o, Currency: order.DefaultCurrency}
		set, want := rules.Builtin(r), settings(r).decide(o)
		got := set.Decide(facts)
		if got.Handling != want.Handling || got.Reason != want.Reason || got.Approved() != (want.Reason == "") {
			t.Fatalf("decided %+v, and the rules of the settings %+v", got, want)
		}
		if got, want := set.Queue(facts), settings(r).queue(o); got != want {
			t.Fatalf("queue %s, and by the rules of the settings %s", got, want)
		}
	})
}

func drawItem(t *rapid.T, decimals int) order.Item {
	item := order.Item{Name: rapid.StringN(1, 20, -1).Draw(t, "name"), Detailed: rapid.Bool().Draw(t, "detailed")}
	if item.Detailed {
		item.SKU = rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "sku")
		item.Quantity = rapid.IntRange(0, order.MaxQuantity).Draw(t, "quantity")
	}
	if item.Detailed && rapid.Bool().Draw(t, "priced") {
		item.UnitPrice = &order.Money{Minor: rapid.Int64Range(0, 2000).Draw(t, "price"), Decimals: decimals}
	}
	return item
}

// TestBuiltinIsADocument holds that the builtin set is readable, and no different from one
// that was written.
func TestBuiltinIsADocument(t *testing.T) {
	t.Parallel()
	set := rules.Builtin(shop)
	if set.Version() != order.VersionBuiltin || set.AsksCustomer() || set.QueueAsksCustomer() {
		t.Errorf("version %q, asks about customers: %t", set.Version(), set.AsksCustomer())
	}
	source := string(set.Source())
	for _, part := range []string{`money("10000.00")`, `money("1000.00")`, "> 50", rules.ReasonAmountLimit, rules.ReasonItemLimit} {
		if !strings.Contains(source, part) {
			t.Errorf("%s is not in:\n%s", part, source)
		}
	}
	parsed, err := rules.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(set.Rules(), parsed.Rules()); diff != "" {
		t.Error(diff)
	}
}
