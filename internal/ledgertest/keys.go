package ledgertest

import "orderprocessor/internal/order"

// The keys of the books, for tests that read or falsify them. They are not those of the
// ledger: a checker with the ledger's keys would not find a wrong one.
const (
	// Book begins every key.
	Book = "orders:{b0}:"
	// CountersKey is the hash of counters.
	CountersKey = Book + "c"
	// EventsKey is the stream of events.
	EventsKey = Book + "e"
	// QuarantineKey is the order in quarantine.
	QuarantineKey = Book + "i"
	// MarksKey is the sorted set of the orders that the archive lacks.
	MarksKey = Book + "a"
	// CustomerKeys matches the index of every customer.
	CustomerKeys = Book + "u:*"
)

// RecordKey returns the key of an order's record.
func RecordKey(id string) string { return Book + "o:" + id }

// IndexKey returns the key of a status's index.
func IndexKey(s order.Status) string { return Book + "s:" + string(s) }
