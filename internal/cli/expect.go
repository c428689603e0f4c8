package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// limits are the bounds of the business rules.
type limits struct {
	highValueAbove, maxAmount order.Money
	maxItems                  int
}

func limitsOf(c config.Common) limits {
	return limits{highValueAbove: c.HighValueAbove, maxAmount: c.MaxAmount, maxItems: c.MaxItems}
}

// expectation is what the documentation promises about an order.
type expectation struct {
	status   order.Status
	handling order.Handling
	reason   string
	result   string
}

// expect applies the documented rules. It does so on its own, as a check that
// asked the rules themselves would find nothing.
func (l limits) expect(o sampleOrder) expectation {
	rejected := expectation{status: order.StatusRejected, result: "Order processing failed"}
	switch {
	case o.Amount > l.maxAmount:
		rejected.reason = "order amount exceeds limit"
		return rejected
	case len(o.Items) > l.maxItems:
		rejected.reason = "too many items in order"
		return rejected
	case o.Amount > l.highValueAbove:
		return expectation{order.StatusCompleted, order.HandlingPriority, "", "Order marked for priority processing"}
	case o.Priority == order.PriorityHigh:
		return expectation{order.StatusCompleted, order.HandlingExpedited, "", "Order expedited due to high priority"}
	default:
		return expectation{order.StatusCompleted, order.HandlingStandard, "", "Order processing completed"}
	}
}

// queueOf is where the documentation says an order waits.
func (l limits) queueOf(o sampleOrder) order.Queue {
	switch {
	case o.Priority == order.PriorityHigh, o.Amount > l.highValueAbove:
		return order.QueueCritical
	case o.Priority == order.PriorityLow:
		return order.QueueLow
	default:
		return order.QueueDefault
	}
}

// String describes the kind in a table.
func (e expectation) String() string {
	if e.status == order.StatusRejected {
		return fmt.Sprintf("%s: %s", e.status, e.reason)
	}
	return fmt.Sprintf("%s, %s handling", e.status, e.handling)
}

// differs says what is not as promised, or returns nothing.
func (l limits) differs(o sampleOrder, got orderView) string {
	want := l.expect(o)
	for _, check := range []struct{ what, want, got string }{
		{"status", string(want.status), string(got.Status)},
		{"error", want.reason, got.Error},
		{"handling", string(want.handling), string(got.Handling)},
		{"result", want.result, got.Result},
		{"queue", string(l.queueOf(o)), string(got.Queue)},
		{"priority", fmt.Sprint(cmp.Or(o.Priority, order.PriorityMedium)), fmt.Sprint(got.Priority)},
		{"amount", o.Amount.String(), exact(got.Amount)},
		{"items", strconv.Itoa(len(o.Items)), strconv.Itoa(len(got.Items))},
	} {
		if check.want != check.got {
			return fmt.Sprintf("%s is %q and should be %q", check.what, order.Printable(check.got), check.want)
		}
	}
	return ""
}

// exact writes an amount in the one form that amounts are compared in.
func exact(n json.Number) string {
	m, err := order.ParseMoney(n.String())
	if err != nil {
		return n.String()
	}
	return m.String()
}
