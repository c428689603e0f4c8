package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// paused lists the queues that Depths shows as paused, and compares with Asynq's own view.
func (b *bundle) paused(t *testing.T, books int) (paused []order.Queue) {
	t.Helper()
	depths, err := queue.NewInspector(b.RDB, books).Depths(t.Context())
	queuetest.Must(t, err)
	known, err := b.Asynq.Queues()
	queuetest.Must(t, err)
	asynqs := map[order.Queue]bool{}
	for _, q := range known {
		info, err := b.Asynq.GetQueueInfo(q)
		queuetest.Must(t, err)
		asynqs[order.Queue(q)] = info.Paused
	}
	for _, q := range order.Queues() {
		if shown, ok := asynqs[q]; ok && shown != depths[q].Paused {
			t.Errorf("queue %s is paused: %t, for Asynq %t", q, depths[q].Paused, shown)
		}
		if depths[q].Paused {
			paused = append(paused, q)
		}
	}
	return paused
}

// TestPause checks that either change can be repeated, and changes one queue alone, whether
// or not it has been used. It breaks each command of a change, the write in both ways a
// network can. A change whose answer is lost is found to be made and needs no repeat.
func TestPause(t *testing.T) {
	t.Parallel()
	const q = order.QueueLow
	writes := func(c redis.Cmder) bool { return c.Name() != "exists" }
	reads := func(c redis.Cmder) bool { return c.Name() == "exists" }
	one := []order.Queue{q}
	rows := []struct {
		name   string
		paused bool // before
		pause  bool // the change, else resume
		match  func(redis.Cmder) bool
		fault  redistest.Fault
		fails  bool
		after  []order.Queue // the broken change
	}{
		{"undisturbed pause", false, true, nil, 0, false, one},
		{"undisturbed resume", true, false, nil, 0, false, nil},
		{"pause", false, true, writes, redistest.NotApplied, true, nil},
		{"pause", false, true, writes, redistest.ReplyLost, false, one},
		{"resume", true, false, writes, redistest.NotApplied, true, one},
		{"resume", true, false, writes, redistest.ReplyLost, false, nil},
		{"pause what is paused", true, true, writes, redistest.NotApplied, false, one},
		{"resume what runs", false, false, writes, redistest.ReplyLost, false, nil},
		{"read that it is paused", true, true, reads, redistest.NotApplied, true, one},
		{"read that it runs", false, false, reads, redistest.NotApplied, true, nil},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			i := queue.NewInspector(b.Broken, 1)
			if row.match == nil {
				b.enqueue(t, q, "o1")
				b.enqueue(t, order.QueueCritical, "o2")
			}
			if row.paused {
				queuetest.Must(t, i.Pause(t.Context(), q))
			}
			change, want := i.Resume, []order.Queue(nil)
			if row.pause {
				change, want = i.Pause, one
			}
			if row.match != nil {
				b.Breaker.Break(row.fault, row.match)
			}
			if err := change(t.Context(), q); errors.Is(err, order.ErrUnavailable) != row.fails || (err != nil) != row.fails {
				t.Errorf("the broken change answered %v", err)
			}
			if row.match != nil && b.Breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.Breaker.Fired())
			}
			if diff := cmp.Diff(row.after, b.paused(t, 1)); diff != "" {
				t.Errorf("paused after the fault (-want +got):\n%s", diff)
			}
			if err := change(t.Context(), q); err != nil {
				t.Errorf("the repeat answered %v", err)
			}
			if diff := cmp.Diff(want, b.paused(t, 1)); diff != "" {
				t.Errorf("paused after the repeat (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPausedQueue checks what a pause does to consumers at work: orders being worked are
// finished, no more are taken from the queue, not even by a reserved slot, other queues go
// on, and all orders are taken once the queue is resumed.
func TestPausedQueue(t *testing.T) { overBooks(t, testPausedQueue) }

func testPausedQueue(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
	t.Helper()
	i := queue.NewInspector(b.Broken, cfg.Books)
	cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = 4, 2, 1
	started, release := make(chan string, 20), make(chan struct{})
	b.consume(t, cfg, func(_ context.Context, id string) error {
		started <- id
		if id == "begun" {
			<-release
		}
		return nil
	})
	b.enqueue(t, order.QueueCritical, "begun")
	if id := queuetest.Receive(t, "the first order is worked", started); id != "begun" {
		t.Fatalf("started %s", id)
	}
	queuetest.Must(t, i.Pause(t.Context(), order.QueueCritical))
	b.enqueue(t, order.QueueCritical, "c1", "c2")
	b.enqueue(t, order.QueueDefault, "d1")
	b.enqueue(t, order.QueueLow, "l1")
	others := map[string]bool{}
	for range 2 {
		others[queuetest.Receive(t, "the orders of the other queues are worked", started)] = true
	}
	if diff := cmp.Diff(map[string]bool{"d1": true, "l1": true}, others); diff != "" {
		t.Errorf("worked while one queue is paused (-want +got):\n%s", diff)
	}
	close(release)
	programtest.Until(t, "the order that had begun is finished", func() bool {
		held, err := b.Holds(t.Context(), record("begun", order.QueueCritical))
		return err == nil && !held
	})
	queuetest.Never(t, "an order was taken from the paused queue", func() bool { return len(started) > 0 })
	if diff := cmp.Diff([]order.Queue{order.QueueCritical}, b.paused(t, cfg.Books)); diff != "" {
		t.Errorf("paused (-want +got):\n%s", diff)
	}
	queuetest.Must(t, i.Resume(t.Context(), order.QueueCritical))
	rest := map[string]bool{}
	for range 2 {
		rest[queuetest.Receive(t, "the orders of the resumed queue are worked", started)] = true
	}
	if diff := cmp.Diff(map[string]bool{"c1": true, "c2": true}, rest); diff != "" {
		t.Errorf("worked after the queue was resumed (-want +got):\n%s", diff)
	}
}
