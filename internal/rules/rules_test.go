package rules_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

var shop = rules.Rules{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50}

func approved(h order.Handling) rules.Decision {
	return rules.Decision{Approved: true, Handling: h}
}

func rejected(reason string) rules.Decision { return rules.Decision{Reason: reason} }

func TestDecide(t *testing.T) {
	t.Parallel()
	const high, medium, low = order.PriorityHigh, order.PriorityMedium, order.PriorityLow
	tests := []struct {
		name     string
		amount   string
		items    int
		priority order.Priority
		want     rules.Decision
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
			if diff := cmp.Diff(tt.want, shop.Decide(o)); diff != "" {
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
		want             rules.Decision
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
		if diff := cmp.Diff(row.want, shop.Decide(o)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", row.amount, row.currency, diff)
		}
		if high := shop.Queue(o) == order.QueueCritical; high != (row.want != approved(order.HandlingStandard)) {
			t.Errorf("%s %s waits in %s", row.amount, row.currency, shop.Queue(o))
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
			if got := shop.Queue(o); got != tt.want {
				t.Errorf("Queue = %q, want %q", got, tt.want)
			}
		})
	}
}

// drawCase draws rules and an order around small numbers, so that the order
// often meets a bound exactly.
func drawCase(t *rapid.T) (rules.Rules, order.Order) {
	money := rapid.Map(rapid.Int64Range(1, 6), func(n int64) order.Money { return order.Money{Minor: n, Decimals: int(n % 4)} })
	r := rules.Rules{
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

func TestDecisionIsTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, o := drawCase(t)
		d := r.Decide(o)
		within := o.Amount.Compare(r.MaxAmount) <= 0 && len(o.Items) <= r.MaxItems
		if d.Approved != within {
			t.Fatalf("approved %t, within the limits %t", d.Approved, within)
		}
		if (d.Handling != "") != d.Approved || (d.Reason == "") != d.Approved {
			t.Fatalf("neither approved with a handling nor rejected with a reason: %+v", d)
		}
		if again := r.Decide(o); again != d {
			t.Fatalf("decided %+v, then %+v", d, again)
		}
	})
}

func TestDecisionAgreesWithQueueAndStatus(t *testing.T) {
	t.Parallel()
	statuses := map[order.Handling]order.Status{
		order.HandlingStandard:  order.StatusProcessing,
		order.HandlingPriority:  order.StatusPriorityProcessing,
		order.HandlingExpedited: order.StatusExpedited,
	}
	rapid.Check(t, func(t *rapid.T) {
		r, o := drawCase(t)
		d, q := r.Decide(o), r.Queue(o)
		if !slices.Contains(order.Queues(), q) {
			t.Fatalf("no such queue: %q", q)
		}
		if !d.Approved {
			return
		}
		if want, ok := statuses[d.Handling]; !ok || d.Handling.Status() != want {
			t.Fatalf("handling %q gives status %q, want %q", d.Handling, d.Handling.Status(), want)
		}
		if urgent := d.Handling != order.HandlingStandard; urgent != (q == order.QueueCritical) {
			t.Fatalf("handling %q from queue %q", d.Handling, q)
		}
	})
}
