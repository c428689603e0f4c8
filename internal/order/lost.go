package order

import "time"

// MaxWorkersLost is how many workers an order may lose, one attempt each, before it
// fails: a poison order would otherwise kill one worker after another.
const MaxWorkersLost = 3

// ReasonNoResult is the error of an attempt that was still open when the next one began:
// its worker was stopped or lost, or could not reach Redis.
const ReasonNoResult = "the attempt ended without a result"

// ReasonWorkerLost is the error of an attempt whose worker is gone.
const ReasonWorkerLost = "worker was lost"

// LostAttempt is an attempt whose worker is gone.
type LostAttempt struct {
	// Number is the attempt's.
	Number int
	// SeenAt is when the worker was found to be gone, by the clock of Redis. An attempt
	// that began later is another worker's.
	SeenAt time.Time
	// WithCandidate is true if the worker also held another poison candidate, which may
	// be what killed it.
	WithCandidate bool
}

// Loss is the effect of a lost worker on its order.
type Loss struct {
	// Ended is true if the attempt was open and is no longer.
	Ended bool
	// Failed is true if the order failed with the attempt.
	Failed bool
	// WorkersLost counts the workers that the order has lost since its acceptance or last
	// retry.
	WorkersLost int
}
