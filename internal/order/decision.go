package order

import "time"

// Verdict is what a decision does with an order.
type Verdict string

// The verdicts of a decision.
const (
	// VerdictApprove lets the order be worked with a handling.
	VerdictApprove Verdict = "approve"
	// VerdictHold wants a person to look at the order first.
	VerdictHold Verdict = "hold"
	// VerdictReject ends the order.
	VerdictReject Verdict = "reject"
)

// Decision is what the rules decide about one order.
type Decision struct {
	// Version is the version of the rules.
	Version string
	// Verdict is what happens with the order.
	Verdict Verdict
	// Handling is how to handle the order: of an approved one, and of a held one once it
	// is released. It is empty for a rejected one.
	Handling Handling
	// Rule names the rule that decided; empty when none did, and the order was approved.
	Rule string
	// Reason is why the order is held or rejected; empty for an approved one.
	Reason string
	// Tags are those of the rules that matched before the decision, each once, in turn.
	Tags []string
	// Matched tells which rules matched, in turn, up to the one that decided. A rule that
	// could not be evaluated did not match; it is the last one then.
	Matched []bool
	// Hold is how a hold ends by itself; zero for other decisions, and for a hold that
	// only a person ends.
	Hold HoldTerm
	// Customer is what the rules asked about the customer; nil if they asked nothing.
	Customer *CustomerFacts
	// Shadow is what the shadow version decided; nil without one. It has no Shadow of its own.
	Shadow *Decision
}

// HoldTerm is how a hold ends by itself.
type HoldTerm struct {
	// Expires is how long the order is held; zero means until a person decides.
	Expires time.Duration
	// Release means that an expired hold releases the order, not rejects it.
	Release bool
}

// CustomerFacts are facts about the customer of an order, as they were when the rules
// first decided the order. They count the orders of the same customer that were accepted
// within the 24 hours before the order, and the order itself.
type CustomerFacts struct {
	// Orders24h is how many orders that are.
	Orders24h int64
	// Amount24h is the sum of their amounts in the currency of the order, in its minor
	// units: of the newest 1,000 of them.
	Amount24h int64
}
