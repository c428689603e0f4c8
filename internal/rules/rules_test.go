package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

var shop = rules.Limits{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50}

// decision is what a test compares of a decision: how an approved order is handled, or why
// it is rejected.
type decision struct {
	Handling order.Handling
	Reason   string
}

func approved(h order.Handling) decision { return decision{Handling: h} }

func rejected(reason string) decision { return decision{Reason: reason} }

// decide decides by the builtin rules.
func decide(l rules.Limits, o order.Order) decision {
	d := rules.Builtin(l).Decide(rules.Facts{Order: o})
	return decision{d.Handling, d.Reason}
}

func queueOf(l rules.Limits, o order.Order) order.Queue {
	return rules.Builtin(l).Queue(rules.Facts{Order: o})
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const high, medium, low = order.PriorityHigh, order.PriorityMedium, order.PriorityLow
	tests := []struct {
		name     string
		amount   string
		items    int
		priority order.Priority
		want     decision
	}{
		{"smallest order", "0.01", 1, medium, approved(order.HandlingStandard)},
		{"low priority", "12.50", 1, low, approved(order.HandlingStandard)},
		{"high priority", "12.50", 1, high, approved(order.HandlingExpedited)},

		{"below high value", "999.99", 1, medium, approved(order.HandlingStandard)},
		{"at high value", "1000.00", 1, medium, approved(order.HandlingStandard)},
		{"above high value", "1000.01", 1, medium, approved(order.HandlingPriority)},
		{"above high value, low priority", "1000.01", 1, low, approved(order.HandlingPriority)},
		{"at high value, high priority", "1000.00", 1, high, approved(order.HandlingExpedited)},
		{"high value beats high priority", "1000.01", 1, high, approved(order.HandlingPriority)},

		{"below amount limit", "9999.99", 1, medium, approved(order.HandlingPriority)},
		{"at amount limit", "10000.00", 1, medium, approved(order.HandlingPriority)},
		{"above amount limit", "10000.01", 1, medium, rejected("order amount exceeds limit")},
		{"amount limit beats high priority", "10000.01", 1, high, rejected("order amount exceeds limit")},
		{"largest amount", order.MaxMoney(2).String(), 1, medium, rejected("order amount exceeds limit")},

		{"below item limit", "12.50", 49, medium, approved(order.HandlingStandard)},
		{"at item limit", "12.50", 50, medium, approved(order.HandlingStandard)},
		{"above item limit", "12.50", 51, medium, rejected("too many items in order")},
		{"item limit beats high value", "1000.01", 51, medium, rejected("too many items in order")},
		{"item limit beats high priority", "12.50", 51, high, rejected("too many items in order")},

		{"at both limits", "10000.00", 50, high, approved(order.HandlingPriority)},
		{"amount limit beats item limit", "10000.01", 51, high, rejected("order amount exceeds limit")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := ordertest.Order(
				t,
				ordertest.WithAmount(tt.amount), ordertest.WithItems(tt.items), ordertest.WithPriority(tt.priority),
			)
			if diff := cmp.Diff(tt.want, decide(shop, o)); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLimitsOfOtherCurrencies compares the limits with the number of units of any currency.
func TestLimitsOfOtherCurrencies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		currency, amount string
		want             decision
	}{
		{"JPY", "1000", approved(order.HandlingStandard)},
		{"JPY", "1001", approved(order.HandlingPriority)},
		{"JPY", "10000", approved(order.HandlingPriority)},
		{"JPY", "10001", rejected("order amount exceeds limit")},
		{"KWD", "1000.000", approved(order.HandlingStandard)},
		{"KWD", "1000.001", approved(order.HandlingPriority)},
		{"KWD", "10000.000", approved(order.HandlingPriority)},
		{"KWD", "10000.001", rejected("order amount exceeds limit")},
	} {
		o := ordertest.Order(t, ordertest.WithAmount(row.amount), ordertest.WithCurrency(row.currency))
		if diff := cmp.Diff(row.want, decide(shop, o)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", row.amount, row.currency, diff)
		}
		if high := queueOf(shop, o) == order.QueueCritical; high != (row.want != approved(order.HandlingStandard)) {
			t.Errorf("%s %s waits in %s", row.amount, row.currency, queueOf(shop, o))
		}
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		amount   string
		items    int
		priority order.Priority
		want     order.Queue
	}{
		{"high", "12.50", 1, order.PriorityHigh, order.QueueCritical},
		{"medium", "12.50", 1, order.PriorityMedium, order.QueueDefault},
		{"low", "12.50", 1, order.PriorityLow, order.QueueLow},
		{"high at high value", "1000.00", 1, order.PriorityHigh, order.QueueCritical},
		{"medium at high value", "1000.00", 1, order.PriorityMedium, order.QueueDefault},
		{"low at high value", "1000.00", 1, order.PriorityLow, order.QueueLow},
		{"high above high value", "1000.01", 1, order.PriorityHigh, order.QueueCritical},
		{"medium above high value", "1000.01", 1, order.PriorityMedium, order.QueueCritical},
		{"low above high value", "1000.01", 1, order.PriorityLow, order.QueueCritical},
		{"above amount limit waits all the same", "10000.01", 1, order.PriorityLow, order.QueueCritical},
		{"above item limit waits all the same", "12.50", 51, order.PriorityLow, order.QueueLow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := ordertest.Order(
				t,
				ordertest.WithAmount(tt.amount), ordertest.WithItems(tt.items), ordertest.WithPriority(tt.priority),
			)
			if got := queueOf(shop, o); got != tt.want {
				t.Errorf("Queue = %q, want %q", got, tt.want)
			}
		})
	}
}

// drawCase draws rules and an order around small numbers, so that the order
// often meets a bound exactly.
func drawCase(t *rapid.T) (rules.Limits, order.Order) {
	money := rapid.Map(rapid.Int64Range(1, 6), func(n int64) order.Money { return order.Money{Minor: n, Decimals: int(n % 4)} })
	r := rules.Limits{
		HighValueAbove: money.Draw(t, "high value above"),
		MaxAmount:      money.Draw(t, "max amount"),
		MaxItems:       rapid.IntRange(1, 4).Draw(t, "max items"),
	}
	return r, order.Order{
		Content: order.Content{
			Amount:   money.Draw(t, "amount"),
			Items:    make([]order.Item, rapid.IntRange(1, 5).Draw(t, "items")),
			Priority: order.Priority(rapid.IntRange(1, 3).Draw(t, "priority")),
		},
	}
}
