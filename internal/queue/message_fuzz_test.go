package queue_test

import (
	"errors"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// FuzzMessage overwrites the message of a waiting task with anything. The task is
// either read, or is corrupt and can be stored and replaced; nothing panics or returns
// order.ErrUnavailable.
func FuzzMessage(f *testing.F) {
	server := redistest.Start(f)
	rdb := server.Client()
	producer := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: attemptTimeout})
	tasks, err := queue.NewTasks(rdb, 1)
	if err != nil {
		f.Fatal(err)
	}
	rec := record("o1", order.QueueDefault)
	if _, err := producer.Enqueue(f.Context(), rec); err != nil {
		f.Fatal(err)
	}
	const key = "asynq:{default}:t:o1"
	good := rdb.HGet(f.Context(), key, "msg").Val()
	for _, seed := range []string{
		good, good[:len(good)/2], good + good, "", "\x00", "garbage", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"\x0a\xff\xff\xff\xff\x0f", "\x12\x02o1", "\x1a\x02o1\x22\x07default", `{"order_id":"o1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		rdb.HSet(t.Context(), key, "msg", message)
		held, err := producer.Holds(t.Context(), rec)
		if held && err == nil {
			return
		}
		if held || !errors.Is(err, order.ErrCorrupt) {
			t.Fatalf("Holds: %t, %v", held, err)
		}
		if found, err := tasks.StoreCorrupt(t.Context(), rec.Queue, rec.ID); !found || err != nil {
			t.Fatalf("StoreCorrupt: %t, %v", found, err)
		}
		if added, err := producer.Enqueue(t.Context(), rec); !added || err != nil {
			t.Fatalf("Enqueue: %t, %v", added, err)
		}
	})
}
