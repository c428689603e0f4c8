package stats

import (
	"cmp"
	"time"

	"orderprocessor/internal/order"
)

// fulfilmentWindow is the time over which the counts of a Fulfilment are.
const fulfilmentWindow = time.Minute

// Fulfilment is how the shop has answered the calls of all workers over the last minute,
// and what the circuit breaker makes of it. The zero value is that of a shop that has not
// been called.
type Fulfilment struct {
	// State is the state of the circuit breaker; empty counts as closed.
	State order.BreakerState
	// Since is when it entered this state; zero if it never left the first one.
	Since time.Time
	// Pace is how many calls a second are permitted to all workers together; 0 for any
	// number.
	Pace float64
	// Taken, Refused, Later, Errors and Unanswered count the calls; see order.CallReport.
	Taken, Refused, Later, Errors, Unanswered int64
	// InARow is how many orders have failed at their first attempt since the last call
	// that succeeded; an order that had failed before counts an eighth.
	InARow int
	// FailingSince is when the first of them failed; zero without one.
	FailingSince time.Time
	// LastError is the error of the last call that failed in the last minute, or of the
	// last one at all while the breaker is open.
	LastError string
}

// Calls counts the calls.
func (f Fulfilment) Calls() int64 { return f.Taken + f.Refused + f.Later + f.Errors + f.Unanswered }

// CallsPerSecond is the rate of the calls.
func (f Fulfilment) CallsPerSecond() float64 {
	return float64(f.Calls()) / fulfilmentWindow.Seconds()
}

// SuccessRatio is the share of the calls after which the shop had the order; 1 without
// calls.
func (f Fulfilment) SuccessRatio() float64 {
	if f.Calls() == 0 {
		return 1
	}
	return float64(f.Taken) / float64(f.Calls())
}

// failing is the number of calls without a definite answer about the order.
func (f Fulfilment) failing() int64 { return f.Errors + f.Unanswered }

// downRow is how many orders in a row fail while the shop counts as down, where too few
// are called for the breaker to open.
const downRow = 3

// Down reports whether the shop takes no orders.
func (f Fulfilment) Down() bool {
	return f.State == order.BreakerOpen || f.InARow >= downRow && f.Taken+f.Refused == 0
}

// DownSince is when the shop stopped taking orders.
func (f Fulfilment) DownSince() time.Time {
	if f.FailingSince.IsZero() || f.State == order.BreakerOpen && f.Since.Before(f.FailingSince) {
		return f.Since
	}
	return f.FailingSince
}

// Add returns both endpoints together: the state is that of the worse one, and the counts
// add up.
func (f Fulfilment) Add(other Fulfilment) Fulfilment {
	worse, better := f, other
	if severity(other) > severity(f) {
		worse, better = other, f
	}
	worse.Pace = max(worse.Pace, better.Pace)
	worse.Taken += better.Taken
	worse.Refused += better.Refused
	worse.Later += better.Later
	worse.Errors += better.Errors
	worse.Unanswered += better.Unanswered
	worse.LastError = cmp.Or(worse.LastError, better.LastError)
	return worse
}

func severity(f Fulfilment) int {
	return map[order.BreakerState]int{order.BreakerClosed: 1, order.BreakerHalfOpen: 2, order.BreakerOpen: 3}[f.State]
}
