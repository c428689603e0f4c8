// Package rules holds the business rules: pure functions from an order to what
// is to happen with it.
//
// It receives an order that order.New let through and hands on a Decision, or
// the Queue to wait in. It owns nothing but the rules, reads no clock and talks
// to nothing, so nothing is durable after it, and asking twice gives the same
// answer.
package rules

import "orderprocessor/internal/order"

// The reasons for which the rules reject an order, as clients read them.
const (
	// ReasonAmountLimit is for an order worth more than Rules.MaxAmount.
	ReasonAmountLimit = "order amount exceeds limit"
	// ReasonItemLimit is for an order of more than Rules.MaxItems items.
	ReasonItemLimit = "too many items in order"
)

// Rules are the bounds that the shop has set. Each bound itself passes. A Rules
// is a plain value and safe for concurrent use.
type Rules struct {
	// HighValueAbove is the amount above which an order is of high value.
	HighValueAbove order.Money
	// MaxAmount is the largest amount that is approved.
	MaxAmount order.Money
	// MaxItems is the largest number of items that is approved.
	MaxItems int
}

// Decision is what the rules say of one order: either approved with a handling,
// or rejected with a reason.
type Decision struct {
	// Approved says which of the two it is.
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
	case o.Amount > r.MaxAmount:
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

func (r Rules) highValue(o order.Order) bool { return o.Amount > r.HighValueAbove }
