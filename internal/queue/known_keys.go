package queue

import "orderprocessor/internal/order"

// KnownKeys returns the keys of the queues that belong to no single task or worker,
// by name, each with the type that Redis must hold there, in the words of TYPE. None
// of them needs to be there. They are those of Asynq 0.26, and those that this
// package writes beside them. It is for examinations; nothing else spells keys.
func KnownKeys() map[string]string {
	keys := map[string]string{queuesKey: "set", leasesKey: "string"}
	ofOne := map[string]string{
		"pending": "list", "active": "list",
		"scheduled": "zset", "retry": "zset", "archived": "zset", "lease": "zset",
		"paused": "string", "corrupt": "hash", "corrupt_at": "zset",
	}
	for _, q := range order.Queues() {
		for name, kind := range ofOne {
			keys[queueKey(q, name)] = kind
		}
	}
	return keys
}
