package queue

import (
	"fmt"

	"orderprocessor/internal/order"
)

const (
	// queuesKey is the set of queues that Asynq knows.
	queuesKey = "asynq:queues"
	// allLeasesKey holds the leases of all books as they were last read, so that another
	// process can continue when this one is killed.
	allLeasesKey = "asynq:leases"
)

// queueKey is a key of Asynq 0.26 that belongs to one of its queues.
func queueKey(queue, name string) string { return "asynq:{" + queue + "}:" + name }

// leasesKey holds the leases of one of several books. It is in the Redis Cluster slot of
// the book's records.
func leasesKey(book int) string { return fmt.Sprintf("%s:{b%d}", allLeasesKey, book) }

// KeyOf returns a key in the Redis Cluster slot of a queue in one of so many books.
func KeyOf(q order.Queue, book, books int) string {
	return queueKey(newNames(books).each[q][book], "pending")
}

// KnownKeys returns the keys of the queues of so many books that belong to no single task
// or worker, with the type that Redis must report for each in the words of TYPE. Any of
// them may be missing. They are the keys of Asynq 0.26 and those that this package adds.
func KnownKeys(books int) map[string]string {
	keys := map[string]string{queuesKey: "set", allLeasesKey: "string"}
	types := map[string]string{
		"pending": "list", "active": "list",
		"scheduled": "zset", "retry": "zset", "archived": "zset", "lease": "zset",
		"paused": "string", "corrupt": "hash", "corrupt_at": "zset",
	}
	for _, queue := range newNames(books).all {
		for name, kind := range types {
			keys[queueKey(queue, name)] = kind
		}
	}
	if books > 1 {
		for book := range books {
			keys[leasesKey(book)] = "string"
		}
	}
	return keys
}
