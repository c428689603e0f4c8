package prefetch_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestStopRequeues checks that a worker which stops requeues the tasks that it has not
// begun, in their old order and before Run returns, and begins none of them.
func TestStopRequeues(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 40)
	h := b.hoard(t, b.broken)
	checkSame(t, "begun", ids[:2], h.waitFull(t))
	reached, release := stopFirst(b.broken, func(c redis.Cmder) bool { return c.Name() == "zscore" })
	h.cancel()
	receive(t, "tasks are being requeued", reached)
	h.release()
	programtest.Until(t, "what was begun is finished", func() bool { return b.task(ids[0]) == nil })
	never(t, "Run returned before the tasks were requeued", func() bool {
		select {
		case <-h.ended:
			return true
		default:
			return false
		}
	})
	release()
	receive(t, "Run returns", h.ended)
	if diff := cmp.Diff(ids[2:], b.pending(order.QueueDefault)); diff != "" || len(h.begun) > 0 {
		t.Errorf("%d more were begun, pending (-want +got):\n%s", len(h.begun), diff)
	}
	if n := b.rdb.Exists(t.Context(), keyActive, keyLease).Val(); n != 0 {
		t.Error("active tasks or leases are left")
	}
}

// TestRequeueFails checks that tasks which could not be requeued when a worker stops stay
// active with a lease, for recovery, and that none is begun or lost.
func TestRequeueFails(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	b.breaker.Break(redistest.NotApplied, func(c redis.Cmder) bool { return c.Name() == "zscore" })
	h.cancel()
	programtest.Until(t, "the tasks were to be requeued", func() bool { return h.Buffered() == 0 && b.breaker.Fired() == 1 })
	h.release()
	receive(t, "Run returns", h.ended)
	checkSame(t, "active or pending", ids[hoarderSlots:], append(b.active(), b.pending(order.QueueDefault)...))
	if len(b.active()) == 0 || len(h.begun) > 0 {
		t.Errorf("%d are active, %d more were begun", len(b.active()), len(h.begun))
	}
}

// TestOldTasksAreRequeued checks that a worker which cannot begin what it has buffered
// leaves it to others, in its old order.
func TestOldTasksAreRequeued(t *testing.T) {
	b := open(t)
	ids := b.fill(t, order.QueueDefault, 15)
	h := b.hoard(t, b.broken)
	h.waitFull(t)
	h.SetMaxAge(time.Second)
	var c collector
	b.work(t, b.broken, workerConfig{servers: 1, slots: 1}, c.handle)
	c.wait(t, ids[2:])
	if diff := cmp.Diff(ids[2:], c.got()); diff != "" {
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
			func(b *bundle, _ *hoarder) error { return b.asynq.PauseQueue("default") },
			func(b *bundle, _ *hoarder) error { return b.asynq.UnpauseQueue("default") },
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
			h := b.hoard(t, b.broken)
			begun := h.waitFull(t)
			h.SetMaxAge(time.Second)
			must(t, row.keep(b, h))
			programtest.Until(t, "all that was not begun is pending", func() bool { return cmp.Equal(ids[2:], b.pending(order.QueueDefault)) })
			h.release()
			active := func() int64 { return b.rdb.LLen(context.Background(), keyActive).Val() }
			programtest.Until(t, "what was begun is finished", func() bool { return active() == 0 })
			never(t, "an order was begun", func() bool { return len(h.begun) > 0 || active() > 0 })
			must(t, row.proceed(b, h))
			for range ids[2:] {
				begun = append(begun, receive(t, "the next order begins", h.begun))
			}
			checkSame(t, "begun", ids, begun)
		})
	}
}
