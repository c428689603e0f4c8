package rules

import "orderprocessor/internal/order"

// Rule is one rule of a set, as its document has it. Exactly one of Reject, Hold, Handling
// and Tag is set.
type Rule struct {
	// Name names the rule within its set: one line of up to MaxNameChars.
	Name string `json:"name"`
	// When is a CEL expression of up to MaxWhenChars: whether the rule matches an order.
	When string `json:"when"`
	// Reject is why a matching order is rejected, up to order.MaxReasonChars.
	Reject string `json:"reject,omitempty"`
	// Hold is why a matching order is held, up to order.MaxReasonChars.
	Hold string `json:"hold,omitempty"`
	// Expires is for how long it is held, as a Go duration above zero and up to MaxExpires;
	// empty means until a person decides.
	Expires string `json:"expires,omitempty"`
	// OnExpiry is what happens then; empty means order.ExpiryReject.
	OnExpiry order.Expiry `json:"on_expiry,omitempty"`
	// Handling is how a matching order is handled.
	Handling order.Handling `json:"handling,omitempty"`
	// Tag is added to a matching order: 1 to 40 characters of A-Z a-z 0-9 . _ -.
	Tag string `json:"tag,omitempty"`
	// Queue is where a matching order waits; empty leaves it to later rules, and then to
	// the order's priority.
	Queue order.Queue `json:"queue,omitempty"`
}

// decides reports whether a match ends the search for a decision.
func (r Rule) decides() bool { return r.Tag == "" }
