package rules

import (
	"fmt"
	"slices"

	"orderprocessor/internal/order"
)

// Set is a rule set that Parse has accepted. It is immutable and safe for concurrent use.
type Set struct {
	version string
	source  []byte
	rules   []compiledRule
	// asks and queueAsks are whether any rule, and any rule with a queue, asks about the
	// customer.
	asks, queueAsks bool
}

// compiledRule is a rule that can be asked.
type compiledRule struct {
	Rule
	program
	hold order.HoldTerm
}

// Version names the content of the set: the first 12 hexadecimal digits of the SHA-256 of
// its rules as JSON, or order.VersionBuiltin. Comments and formatting do not matter.
func (s *Set) Version() string { return s.version }

// Source returns a copy of the document.
func (s *Set) Source() []byte { return slices.Clone(s.source) }

// Rules returns a copy of the rules as data.
func (s *Set) Rules() []Rule {
	all := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		all[i] = r.Rule
	}
	return all
}

// AsksCustomer reports whether Decide needs Facts.Customer.
func (s *Set) AsksCustomer() bool { return s.asks }

// QueueAsksCustomer reports whether Queue needs Facts.Customer.
func (s *Set) QueueAsksCustomer() bool { return s.queueAsks }

// Decide decides an order: the first rule with reject, hold or handling that matches
// does, and none means approve, with standard handling. A rule that cannot be evaluated
// holds the order until a person decides. Equal facts always get equal decisions.
func (s *Set) Decide(f Facts) order.Decision {
	asked := &subject{Facts: f}
	d := order.Decision{
		Version: s.version, Action: order.ActionApprove, Handling: order.HandlingStandard,
		Matched: make([]bool, 0, len(s.rules)),
	}
	if s.asks {
		d.Customer = &order.CustomerFacts{Orders24h: f.Customer.Orders24h, Amount24h: f.Customer.Amount24h}
	}
	for i := range s.rules {
		r := &s.rules[i]
		matched, err := r.matches(asked)
		d.Matched = append(d.Matched, matched)
		switch {
		case err != nil:
			d.Failed = true
			return s.held(d, i, failure(r.Name, err), order.HoldTerm{}, asked)
		case !matched:
		case !r.decides():
			d.Tags = withTag(d.Tags, r.Tag)
		case r.Hold != "":
			return s.held(d, i, r.Hold, r.hold, asked)
		default:
			return r.decided(d)
		}
	}
	return d
}

// decided completes the decision of a rule that rejects or approves.
func (r *compiledRule) decided(d order.Decision) order.Decision {
	d.Rule, d.Handling = r.Name, r.Handling
	if r.Reject != "" {
		d.Action, d.Reason = order.ActionReject, r.Reject
	}
	return d
}

// held completes the decision of a rule that holds the order. Once released, the order is
// handled by the first later rule that says how.
func (s *Set) held(d order.Decision, rule int, reason string, term order.HoldTerm, asked *subject) order.Decision {
	d.Action, d.Rule, d.Reason, d.Hold = order.ActionHold, s.rules[rule].Name, reason, term
	for i := rule + 1; i < len(s.rules); i++ {
		r := &s.rules[i]
		if r.Handling == "" {
			continue
		}
		if matched, err := r.matches(asked); err == nil && matched {
			d.Handling = r.Handling
			return d
		}
	}
	return d
}

// Queue returns the queue in which an order waits: that of the first matching rule that
// names one, whatever the rule decides, and else that of the order's priority. A rule that
// cannot be evaluated does not match.
func (s *Set) Queue(f Facts) order.Queue {
	var asked *subject
	for i := range s.rules {
		r := &s.rules[i]
		if r.Queue == "" {
			continue
		}
		if asked == nil {
			asked = &subject{Facts: f}
		}
		if matched, err := r.matches(asked); err == nil && matched {
			return r.Queue
		}
	}
	return f.Order.Priority.Queue()
}

func withTag(tags []string, tag string) []string {
	if slices.Contains(tags, tag) {
		return tags
	}
	return append(tags, tag)
}

// failure is the reason of an order that is held because a rule cannot be evaluated: at
// most order.MaxReasonChars.
func failure(rule string, err error) string {
	reason := []rune(order.Printable(fmt.Sprintf("rule %q cannot be evaluated: %v", rule, err)))
	return string(reason[:min(len(reason), order.MaxReasonChars)])
}
