package queue

import "orderprocessor/internal/order"

// queuesKey is the set of queues that Asynq knows.
const queuesKey = "asynq:queues"

// queueKey is a key of Asynq 0.26 that belongs to one queue.
func queueKey(q order.Queue, name string) string { return "asynq:{" + string(q) + "}:" + name }

// KnownKeys returns the keys of the queues that belong to no single task or worker, with
// the type that Redis must report for each in the words of TYPE. Any of them may be
// missing. They are the keys of Asynq 0.26 and those that this package adds.
func KnownKeys() map[string]string {
	keys := map[string]string{queuesKey: "set", leasesKey: "string"}
	types := map[string]string{
		"pending": "list", "active": "list",
		"scheduled": "zset", "retry": "zset", "archived": "zset", "lease": "zset",
		"paused": "string", "corrupt": "hash", "corrupt_at": "zset",
	}
	for _, q := range order.Queues() {
		for name, kind := range types {
			keys[queueKey(q, name)] = kind
		}
	}
	return keys
}
