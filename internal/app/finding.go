package app

import "orderprocessor/internal/order"

// Finding is the result of one check, for an operator.
type Finding struct {
	// Area groups checks: redis, access, books, queues, shop, archive or programs here; callers may
	// add areas of their own.
	Area string `json:"area"`
	// Check is its name within the area.
	Check string `json:"check"`
	// State is how serious it is.
	State FindingState `json:"state"`
	// Found is what was found, in one line without control characters.
	Found string `json:"found"`
	// Advice is what to do; empty if nothing needs to be done.
	Advice string `json:"advice,omitempty"`
}

// FindingState is how serious a finding is.
type FindingState string

// The states of a finding.
const (
	// FindingOK needs no action.
	FindingOK FindingState = "ok"
	// FindingWarning works, and an operator should know.
	FindingWarning FindingState = "warning"
	// FindingProblem endangers orders, or keeps them from being accepted or processed.
	FindingProblem FindingState = "problem"
	// FindingNotChecked could not be checked, for a reason that is no problem itself.
	FindingNotChecked FindingState = "not checked"
)

func good(found string) Finding { return newFinding(FindingOK, found) }

func warning(found string) Finding { return newFinding(FindingWarning, found) }

func problem(found string) Finding { return newFinding(FindingProblem, found) }

func unchecked(why string) Finding { return newFinding(FindingNotChecked, why) }

func newFinding(state FindingState, found string) Finding {
	return Finding{State: state, Found: order.Printable(found)}
}

// advise returns the finding with advice other than that of its check.
func (f Finding) advise(advice string) Finding {
	f.Advice = advice
	return f
}

// complete adds what the check knows to its finding. A finding of its own may have
// another name or other advice.
func (f Finding) complete(c check) Finding {
	f.Area = c.area
	if f.Check == "" {
		f.Check = c.name
	}
	if f.Advice == "" && (f.State == FindingWarning || f.State == FindingProblem) {
		f.Advice = c.advice
	}
	return f
}
