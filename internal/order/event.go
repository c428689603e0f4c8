package order

import "time"

// MaxEvents is how many events of one order are kept: the first and the newest
// others.
const MaxEvents = 100

// Event is one change of one order's status.
type Event struct {
	// ID is unique among the events of all orders and sorts by time; see EventID.
	ID string
	// OrderID is whose status it is.
	OrderID string
	// Sequence counts the events of the order, from one.
	Sequence int
	// Status is what the order became.
	Status Status
	// At is when, UTC, by the clock of Redis.
	At time.Time
	// Attempt is the number of the attempt that was begun or ended; zero when
	// there is none.
	Attempt int
	// Worker names the process that made the attempt; empty without one.
	Worker string
	// Reason says why the attempt failed, the rules refused or the client
	// cancelled; empty otherwise.
	Reason string
}
