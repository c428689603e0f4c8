package prefetch_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestStopRequeues checks that a worker which stops requeues the tasks that it has not
// begun, in their old order and before Run returns, and begins none of them.
func TestStopRequeues(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.Broken)
	queuetest.CheckSame(t, "begun", ids[:2], h.waitFull(t))
	reached, release := stopFirst(b.Broken, func(c redis.Cmder) bool { return c.Name() == "zscore" })
	h.cancel()
	queuetest.Receive(t, "tasks are being requeued", reached)
	h.release()
	programtest.Until(t, "what was begun is finished", func() bool { return b.Task(order.QueueDefault, ids[0]) == nil })
	queuetest.Never(t, "Run returned before the tasks were requeued", func() bool {
		select {
		case <-h.ended:
			return true
		default:
			return false
		}
	})
	release()
	queuetest.Receive(t, "Run returns", h.ended)
	if diff := cmp.Diff(ids[2:], b.Pending(order.QueueDefault)); diff != "" || len(h.begun) > 0 {
		t.Errorf("%d more were begun, pending (-want +got):\n%s", len(h.begun), diff)
	}
	if n := b.RDB.Exists(t.Context(), keyActive, keyLease).Val(); n != 0 {
		t.Error("active tasks or leases are left")
	}
}

// TestRequeueFails checks that tasks which could not be requeued when a worker stops stay
// active with a lease, for recovery, and that none is begun or lost.
func TestRequeueFails(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.Broken)
	h.waitFull(t)
	b.Breaker.Break(redistest.NotApplied, func(c redis.Cmder) bool { return c.Name() == "zscore" })
	h.cancel()
	programtest.Until(t, "the tasks were to be requeued", func() bool { return h.Buffered() == 0 && b.Breaker.Fired() == 1 })
	h.release()
	queuetest.Receive(t, "Run returns", h.ended)
	queuetest.CheckSame(t, "active or pending", ids[hoarderSlots:], append(b.active(), b.Pending(order.QueueDefault)...))
	if len(b.active()) == 0 || len(h.begun) > 0 {
		t.Errorf("%d are active, %d more were begun", len(b.active()), len(h.begun))
	}
}

// TestOldTasksAreRequeued checks that a worker which cannot begin what it has buffered
// leaves it to others, in its old order.
func TestOldTasksAreRequeued(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.Broken)
	h.waitFull(t)
	h.SetMaxAge(time.Second)
	var c queuetest.Collector
	b.work(t, b.Broken, workerConfig{servers: 1, slots: 1}, c.Work)
	c.Wait(t, ids[2:])
	if diff := cmp.Diff(ids[2:], c.IDs()); diff != "" {
		t.Errorf("delivered in the order (-want +got):\n%s", diff)
	}
	if len(h.begun) > 0 {
		t.Errorf("the first worker began %s as well", <-h.begun)
	}
}

// TestKeptFromBeginning checks that a worker begins nothing more that it has buffered once
// the queue is paused or it is held, that all of it is pending again soon, and that it
// goes on afterwards.
func TestKeptFromBeginning(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		keep    func(b *bundle, h *hoarder) error
		proceed func(b *bundle, h *hoarder) error
	}{
		{
			"pause",
			func(b *bundle, _ *hoarder) error { return b.Asynq.PauseQueue("default") },
			func(b *bundle, _ *hoarder) error { return b.Asynq.UnpauseQueue("default") },
		},
		{
			"hold",
			func(_ *bundle, h *hoarder) error { h.Hold(true); return nil },
			func(_ *bundle, h *hoarder) error { h.Hold(false); return nil },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			ids := b.fill(t, order.QueueDefault, 40)
			h := b.hoard(t, b.Broken)
			begun := h.waitFull(t)
			h.SetMaxAge(time.Second)
			queuetest.Must(t, row.keep(b, h))
			programtest.Until(t, "all that was not begun is pending", func() bool { return cmp.Equal(ids[2:], b.Pending(order.QueueDefault)) })
			h.release()
			active := func() int64 { return b.RDB.LLen(context.Background(), keyActive).Val() }
			programtest.Until(t, "what was begun is finished", func() bool { return active() == 0 })
			queuetest.Never(t, "an order was begun", func() bool { return len(h.begun) > 0 || active() > 0 })
			queuetest.Must(t, row.proceed(b, h))
			for range ids[2:] {
				begun = append(begun, queuetest.Receive(t, "the next order begins", h.begun))
			}
			queuetest.CheckSame(t, "begun", ids, begun)
		})
	}
}
