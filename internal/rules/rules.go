// Package rules holds the business rules: pure functions from an order to a decision.
//
// It receives an order that order.New has accepted and returns a Decision, or the queue
// in which the order waits. It reads no clock and does no I/O, so nothing is durable
// after it, and equal orders always get equal decisions.
package rules

import "orderprocessor/internal/order"

// The reasons for which the rules reject an order, as clients read them.
const (
	// ReasonAmountLimit is for an order worth more than Rules.MaxAmount.
	ReasonAmountLimit = "order amount exceeds limit"
	// ReasonItemLimit is for an order of more than Rules.MaxItems items.
	ReasonItemLimit = "too many items in order"
)

// Rules are the limits of the shop. A value equal to its limit passes. Rules is a plain
// value and safe for concurrent use.
type Rules struct {
	// HighValueAbove is the amount above which an order is of high value. Amounts are
	// compared as numbers and never converted: 1000.00 is 1,000 units of any currency.
	HighValueAbove order.Money
	// MaxAmount is the largest amount that is approved.
	MaxAmount order.Money
	// MaxItems is the largest number of items that is approved.
	MaxItems int
}

// Decision is what the rules decide about one order: approved with a handling, or
// rejected with a reason.
type Decision struct {
	// Approved is whether the order is approved.
	Approved bool
	// Handling is how to handle an approved order; empty for a rejected one.
	Handling order.Handling
	// Reason is why the order was rejected; empty for an approved one.
	Reason string
}

// Decide approves or rejects the order. The limits come before everything else,
// the amount before the items.
func (r Rules) Decide(o order.Order) Decision {
	switch {
	case o.Amount.Compare(r.MaxAmount) > 0:
		return Decision{Reason: ReasonAmountLimit}
	case len(o.Items) > r.MaxItems:
		return Decision{Reason: ReasonItemLimit}
	default:
		return Decision{Approved: true, Handling: r.handling(o)}
	}
}

func (r Rules) handling(o order.Order) order.Handling {
	switch {
	case r.highValue(o):
		return order.HandlingPriority
	case o.Priority == order.PriorityHigh:
		return order.HandlingExpedited
	default:
		return order.HandlingStandard
	}
}

// Queue returns the queue in which the order waits for its first attempt. The limits
// play no part: an order beyond them waits like any other until Decide rejects it.
func (r Rules) Queue(o order.Order) order.Queue {
	if r.highValue(o) {
		return order.QueueCritical
	}
	return o.Priority.Queue()
}

func (r Rules) highValue(o order.Order) bool { return o.Amount.Compare(r.HighValueAbove) > 0 }
