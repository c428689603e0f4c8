package ledgertest

import "orderprocessor/internal/order"

// The keys of the books, for tests that read or falsify them. The checker must not
// use those of the ledger, or a wrong key would check itself.
const (
	// Book begins every key.
	Book = "orders:{b0}:"
	// CountersKey holds the counters.
	CountersKey = Book + "c"
	// EventsKey holds the stream of events.
	EventsKey = Book + "e"
	// QuarantineKey holds the order that is tried alone.
	QuarantineKey = Book + "i"
	// CustomerKeys matches the index of every customer.
	CustomerKeys = Book + "u:*"
)

// RecordKey holds the record of an order.
func RecordKey(id string) string { return Book + "o:" + id }

// IndexKey holds the index of a status.
func IndexKey(s order.Status) string { return Book + "s:" + string(s) }
