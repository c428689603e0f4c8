package app

import "orderprocessor/internal/order"

// Finding is one thing that an operator would look at, and what it is like.
type Finding struct {
	// Area is what it belongs to: redis, access, books, queues or programs here; others have
	// areas of their own.
	Area string `json:"area"`
	// Check names it within the area.
	Check string `json:"check"`
	// State says how bad it is.
	State FindingState `json:"state"`
	// Found says what was found, in one line without control characters.
	Found string `json:"found"`
	// Advice says what to do; empty where nothing is to be done.
	Advice string `json:"advice,omitempty"`
}

// FindingState says how bad a finding is.
type FindingState string

// The states of a finding.
const (
	// FindingOK is as it should be.
	FindingOK FindingState = "ok"
	// FindingWarning works, and an operator should know.
	FindingWarning FindingState = "warning"
	// FindingProblem keeps orders from being safe, taken or worked.
	FindingProblem FindingState = "problem"
	// FindingNotChecked could not be looked at, for a reason that is no problem of
	// its own.
	FindingNotChecked FindingState = "not checked"
)

// good returns a finding that needs nothing done.
func good(check, found string) Finding {
	return Finding{Check: check, State: FindingOK, Found: order.Printable(found)}
}

// warning returns a finding to know of.
func warning(check, found, advice string) Finding {
	return Finding{Check: check, State: FindingWarning, Found: order.Printable(found), Advice: advice}
}

// problem returns a finding to act upon.
func problem(check, found, advice string) Finding {
	return Finding{Check: check, State: FindingProblem, Found: order.Printable(found), Advice: advice}
}

// unchecked returns a finding that says why there is none.
func unchecked(check, why string) Finding {
	return Finding{Check: check, State: FindingNotChecked, Found: order.Printable(why)}
}
