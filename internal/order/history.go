package order

// History is all that is known of one order at one moment, as it goes into the archive.
type History struct {
	// Record is the order and what has happened to it.
	Record Record
	// Events is its timeline, oldest first, as the ledger keeps it.
	Events []Event
	// Sequence is the number of its newest event. Of two histories of one order, the one
	// with the higher number is newer.
	Sequence int
}
