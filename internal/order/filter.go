package order

import "time"

// Filter selects orders. A zero field matches all.
type Filter struct {
	// Status is the status they are in.
	Status Status
	// Customer is their customer, spelt exactly as in the order.
	Customer string
	// CreatedFrom is the earliest time of acceptance, inclusive.
	CreatedFrom time.Time
	// CreatedTo is the end of the times of acceptance, exclusive.
	CreatedTo time.Time
}

// Position is a position in the list of all orders, which runs from the newest to the
// oldest. The position of an order never changes. The zero value is the start.
type Position struct {
	// CreatedAt is the time of acceptance of the order at this position.
	CreatedAt time.Time
	// ID is that order's.
	ID string
}

// IsZero reports whether this is the start of the list.
func (p Position) IsZero() bool { return p == Position{} }
