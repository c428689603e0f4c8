package order

import "time"

// MaxEvents is how many events of one order are kept: the first and the newest
// others.
const MaxEvents = 100

// ActorExpiry is the actor when a hold has expired.
const ActorExpiry = "expiry"

// Event records that one order's status changed, or that the order was erased: then the
// status is the same. Its JSON is what the archive stores.
type Event struct {
	// ID is unique among the events of all orders of a book and sorts by time; see EventID.
	ID string `json:"id,omitzero"`
	// OrderID is the order. The archive knows it from the record.
	OrderID string `json:"-"`
	// Sequence counts the events of the order, from one.
	Sequence int `json:"sequence,omitzero"`
	// Status is the new status.
	Status Status `json:"status,omitzero"`
	// At is when, UTC, by the clock of Redis.
	At time.Time `json:"at,omitzero"`
	// Attempt is the number of the attempt that began or ended; zero when there is none.
	Attempt int `json:"attempt,omitzero"`
	// Worker names the process that made the attempt; empty without one.
	Worker string `json:"worker,omitzero"`
	// Reason is why the attempt failed, the rules held or rejected the order, or somebody
	// cancelled, retried, released or rejected it; empty otherwise.
	Reason string `json:"reason,omitzero"`
	// Actor is who cancelled, retried, released or rejected the order: the name of an API
	// key, or ActorExpiry; empty for other events.
	Actor string `json:"actor,omitzero"`
}
