// Package rules decides orders by rules that are data: documents of rules whose conditions
// are expressions in CEL.
//
// Parse turns a document into a Set, and Set.Decide turns an order into a decision. Both
// are pure: they read no clock and do no I/O, and equal facts always get equal decisions.
// An Engine asks a Store which versions are in force and decides by those. Nothing is
// durable after it: the ledger keeps rule sets and decisions.
package rules

import "orderprocessor/internal/order"

// The reasons for which the builtin rules reject an order, as clients read them.
const (
	// ReasonAmountLimit is for an order worth more than Limits.MaxAmount.
	ReasonAmountLimit = "order amount exceeds limit"
	// ReasonItemLimit is for an order of more than Limits.MaxItems items.
	ReasonItemLimit = "too many items in order"
)

// Limits are the settings that make the builtin rules. A value equal to its limit passes.
type Limits struct {
	// HighValueAbove is the amount above which an order is of high value. Amounts are
	// compared as numbers and never converted: 1000.00 is 1,000 units of any currency.
	HighValueAbove order.Money
	// MaxAmount is the largest amount that is approved.
	MaxAmount order.Money
	// MaxItems is the largest number of items that is approved.
	MaxItems int
}
