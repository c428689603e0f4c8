package queue_test

import (
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestKnownKeys puts tasks into every state, and compares the keys that Redis has then with
// KnownKeys.
func TestKnownKeys(t *testing.T) {
	b := open(t)
	fillStates(t, b)
	tasks, err := queue.NewTasks(b.RDB, 1)
	queuetest.Must(t, err)
	b.RDB.HSet(t.Context(), "asynq:{low}:t:corrupt", "msg", "x")
	_, err = tasks.StoreCorrupt(t.Context(), order.QueueLow, "corrupt")
	queuetest.Must(t, err)
	_, err = tasks.Orphans(t.Context(), time.Now())
	queuetest.Must(t, err)

	known, used := queue.KnownKeys(1), map[string]bool{}
	for _, key := range b.RDB.Keys(t.Context(), "asynq:*").Val() {
		kind := b.RDB.Type(t.Context(), key).Val()
		if want, ok := known[key]; ok && kind != want {
			t.Errorf("%s is a %s, want a %s", key, kind, want)
		}
		used[inAny(key)] = true
	}
	for key := range known {
		if !used[inAny(key)] {
			t.Errorf("%s is known, and nothing writes it", key)
		}
	}
}

// inAny is the name of a key of any queue.
func inAny(key string) string {
	for _, q := range order.Queues() {
		key = strings.Replace(key, "{"+string(q)+"}", "{}", 1)
	}
	return key
}
