package order

// BreakerState is the state of the circuit breaker of a fulfilment endpoint.
type BreakerState string

// The states of a circuit breaker.
const (
	// BreakerClosed lets all calls pass.
	BreakerClosed BreakerState = "closed"
	// BreakerOpen lets one call a second pass, over all workers: a probe.
	BreakerOpen BreakerState = "open"
	// BreakerHalfOpen follows a probe that succeeded: the rate of calls grows from two a
	// second.
	BreakerHalfOpen BreakerState = "half_open"
)

// BreakerStates returns all states.
func BreakerStates() []BreakerState {
	return []BreakerState{BreakerClosed, BreakerOpen, BreakerHalfOpen}
}

// CallReport is what a worker tells the circuit breaker: the results of its calls to one
// fulfilment endpoint since its last report, and how many it could begin until the next.
type CallReport struct {
	// Endpoint names the endpoint; equal for all workers that call it.
	Endpoint string
	// Worker is the name of the process.
	Worker string
	// Taken counts the orders that the shop accepted, Refused those it refused for good.
	Taken, Refused int
	// Later counts the calls that the shop asked to repeat later.
	Later int
	// Errors counts the calls that the shop answered with an error of its own, such as
	// 500. It may be about the one order.
	Errors int
	// Unanswered counts the calls without an answer of the shop.
	Unanswered int
	// Again is how many of Errors and Unanswered were about orders that had failed
	// before: they say less about the shop than the first attempt at an order does.
	Again int
	// LastError is the error of the last call that failed; empty if none did.
	LastError string
	// Unused is how many of the calls that were last permitted have not begun.
	Unused int
	// Want is how many calls the worker could begin until its next report.
	Want int
}

// Add adds the results of another report.
func (r *CallReport) Add(other CallReport) {
	r.Taken += other.Taken
	r.Refused += other.Refused
	r.Later += other.Later
	r.Errors += other.Errors
	r.Unanswered += other.Unanswered
	r.Again += other.Again
	if r.LastError == "" {
		r.LastError = other.LastError
	}
}

// Permit is the answer of the circuit breaker to a report.
type Permit struct {
	// State is the state of the breaker.
	State BreakerState
	// Calls is how many orders the worker may take until its next report; below 0 for any
	// number.
	Calls int
}
