package order

import "time"

// Action is what a decision does with an order.
type Action string

// The actions of a decision.
const (
	// ActionApprove lets the order be worked with a handling.
	ActionApprove Action = "approve"
	// ActionHold wants a person to look at the order first.
	ActionHold Action = "hold"
	// ActionReject ends the order.
	ActionReject Action = "reject"
)

// Decision is what the rules decide about one order. Its JSON is what the archive stores.
type Decision struct {
	// Version is the version of the rules.
	Version string `json:"version,omitzero"`
	// Action is what happens with the order.
	Action Action `json:"action,omitzero"`
	// Handling is how to handle the order: of an approved one, and of a held one once it
	// is released. It is empty for a rejected one.
	Handling Handling `json:"handling,omitzero"`
	// Rule names the rule that decided; empty when none did, and the order was approved. The
	// ledger may leave it out of an approval: it is the last rule that matched.
	Rule string `json:"rule,omitzero"`
	// Reason is why the order is held or rejected; empty for an approved one.
	Reason string `json:"reason,omitzero"`
	// Failed means that a rule could not be evaluated, and so holds the order.
	Failed bool `json:"failed,omitzero"`
	// Tags are those of the rules that matched before the decision, each once, in turn.
	Tags []string `json:"tags,omitzero"`
	// Matched tells which rules matched, in turn, up to the one that decided. A rule that
	// could not be evaluated did not match; it is the last one then. The ledger may leave it
	// out of an approval that no rule matched.
	Matched []bool `json:"matched,omitzero"`
	// Hold is how a hold ends by itself; zero for other decisions, and for a hold that
	// only a person ends.
	Hold HoldTerm `json:"hold,omitzero"`
	// Customer is what the rules asked about the customer; nil if they asked nothing.
	Customer *CustomerFacts `json:"customer,omitzero"`
	// Shadow is what the shadow version decided; nil without one. It has no Shadow of its own.
	Shadow *Decision `json:"shadow,omitzero"`
}

// Approved reports whether the order is to be worked.
func (d Decision) Approved() bool { return d.Action == ActionApprove }

// Label names the decision in a comparison of two: the handling of an approved order,
// else the action.
func (d Decision) Label() string {
	if d.Approved() {
		return string(d.Handling)
	}
	return string(d.Action)
}

// Change is how the decision of one version differs from that of another, or equals it.
type Change struct {
	// From and To are the labels of both decisions.
	From, To string
}

// HoldTerm is how a hold ends by itself.
type HoldTerm struct {
	// Expires is how long the order is held; zero means until a person decides.
	Expires time.Duration `json:"expires_ns,omitzero"`
	// Release means that an expired hold releases the order, not rejects it.
	Release bool `json:"release,omitzero"`
}

// Expiry is what happens with an order whose hold has expired.
type Expiry string

// The expiries of a hold.
const (
	// ExpiryReject rejects the order.
	ExpiryReject Expiry = "reject"
	// ExpiryRelease releases the order.
	ExpiryRelease Expiry = "release"
)

// OnExpiry is what happens when the hold expires; empty for one that does not.
func (h HoldTerm) OnExpiry() Expiry {
	switch {
	case h.Expires == 0:
		return ""
	case h.Release:
		return ExpiryRelease
	default:
		return ExpiryReject
	}
}

// CustomerFacts are facts about the customer of an order, as they were when the rules
// first decided the order. They count the orders of the same customer that were accepted
// within the 24 hours before the order, and the order itself.
type CustomerFacts struct {
	// Orders24h is how many orders that are.
	Orders24h int64 `json:"orders_24h,omitzero"`
	// Amount24h is the sum of their amounts in the currency of the order, in its minor
	// units: of the newest 1,000 of them.
	Amount24h int64 `json:"amount_24h,omitzero"`
}
