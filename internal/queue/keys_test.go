package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestKnownKeys uses a queue in every way, and compares the keys that Redis has then with
// KnownKeys.
func TestKnownKeys(t *testing.T) {
	b := open(t)
	cfg := config()
	cfg.Concurrency = 3
	release := make(chan struct{})
	b.consume(t, cfg, func(_ context.Context, id string) error {
		switch id {
		case "retried":
			return &order.RetryError{After: time.Hour, Err: errors.New("later")}
		case "archived":
			return &order.PermanentError{Err: errors.New("never")}
		}
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	queuetest.Must(t, queue.NewInspector(b.RDB).Pause(t.Context(), order.QueueLow))
	b.enqueue(t, order.QueueLow, "waits")
	_, err := b.Enqueue(t.Context(), scheduled("later", order.QueueLow, time.Now().Add(time.Hour)))
	queuetest.Must(t, err)
	b.enqueue(t, order.QueueDefault, "retried", "archived", "held")
	programtest.Until(t, "each order is in its set", func() bool {
		return b.RDB.Exists(t.Context(), "asynq:{default}:retry", "asynq:{default}:archived", "asynq:{default}:lease").Val() == 3
	})
	b.corruptOne(t)

	known, used := queue.KnownKeys(), map[string]bool{}
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

// corruptOne stores a corrupt task, and saves the leases of the active tasks.
func (b *bundle) corruptOne(t *testing.T) {
	t.Helper()
	s, err := queue.NewTasks(b.RDB)
	queuetest.Must(t, err)
	b.RDB.HSet(t.Context(), "asynq:{low}:t:corrupt1", "msg", "x")
	_, err = s.StoreCorrupt(t.Context(), order.QueueLow, "corrupt1")
	queuetest.Must(t, err)
	_, err = s.Orphans(t.Context())
	queuetest.Must(t, err)
}
