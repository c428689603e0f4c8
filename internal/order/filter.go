package order

import "time"

// Filter chooses orders. A zero field chooses all.
type Filter struct {
	// Status is the status they are in.
	Status Status
	// Customer is whose they are, spelt as in the order.
	Customer string
	// CreatedFrom is the earliest time of acceptance, itself included.
	CreatedFrom time.Time
	// CreatedTo is the end of the times of acceptance, itself left out.
	CreatedTo time.Time
}

// Position is a place in the list of all orders, which runs from the newest to
// the oldest. Orders never change their places. The zero position is the start.
type Position struct {
	// CreatedAt is the time of acceptance of the order at this place.
	CreatedAt time.Time
	// ID is that order's.
	ID string
}

// IsZero says whether this is the start of the list.
func (p Position) IsZero() bool { return p == Position{} }
