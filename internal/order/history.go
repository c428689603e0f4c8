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

// ArchiveState tells an archive from another one, and from an older copy of itself.
type ArchiveState struct {
	// ID was made with the archive.
	ID string
	// Puts is how many batches it has confirmed. It only falls if an older copy of the
	// archive was put in its place.
	Puts int64
}
