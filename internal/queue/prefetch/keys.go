package prefetch

import (
	"slices"
	"strings"

	"orderprocessor/internal/order"
)

const (
	// queuesKey is the set of queues that Asynq knows.
	queuesKey = "asynq:queues"
	// taskPrefix is what the keys of tasks begin with, before their id.
	taskPrefix = "t:"
)

// queueKey is a key of Asynq that belongs to one of its queues.
func queueKey(name, key string) string { return "asynq:{" + name + "}:" + key }

// queueOf returns the queue in a key of Asynq.
func queueOf(key string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}")
	return name
}

// isForward reports whether these are the keys of the script that makes due tasks
// pending.
func isForward(keys []string) bool {
	delayed := len(keys) > 1 && (strings.HasSuffix(keys[0], "}:scheduled") || strings.HasSuffix(keys[0], "}:retry"))
	return delayed && strings.HasSuffix(keys[1], "}:pending")
}

// isListExpired reports whether these are the keys of the script that lists tasks
// whose lease has expired.
func isListExpired(keys []string) bool {
	return len(keys) == 1 && strings.HasSuffix(keys[0], "}:lease")
}

// isPlain reports whether a queue of Asynq is named as the queue, without a book.
func isPlain(name string) bool { return slices.Contains(order.Queues(), order.Queue(name)) }
