package order

import "time"

// Duty is what there is to do for a process that asks to lead recovery.
type Duty struct {
	// Leads is whether it leads; if not, there is nothing to do.
	Leads bool
	// At is when that was so, by the clock of Redis.
	At time.Time
	// HoldExpired means that the hold of an order has expired.
	HoldExpired bool
	// RetentionOver means that a settled order was accepted longer ago than such orders are kept.
	RetentionOver bool
	// Unsettled means that there is an order without an outcome.
	Unsettled bool
}
