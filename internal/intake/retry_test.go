package intake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// checkRetried checks how many retries the ledger has counted.
func (b *bundle) checkRetried(want int64) {
	b.t.Helper()
	if n := b.totals().Retried; n != want {
		b.t.Errorf("%d retries are counted, want %d", n, want)
	}
}

// TestRetry checks that an order that failed or was rejected is pending again, with a task.
func TestRetry(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]step{
		"failed, task archived":         archived,
		"failed, no task":               settled(order.StatusFailed),
		"rejected, no task":             settled(order.StatusRejected),
		"failed, task not acknowledged": decided(order.StatusFailed),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			before(b)
			want := b.record()
			want.Status, want.ProcessedAt = order.StatusPending, time.Time{}
			rec, err := b.Retry(t.Context(), "o1")
			queuetest.Must(t, err)
			if diff := cmp.Diff(want, rec); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rec, b.record()); diff != "" {
				t.Errorf("stored (-returned +stored):\n%s", diff)
			}
			b.checkTask("afterwards", asynq.TaskStatePending)
			b.checkRetried(1)
			if b.logged.Len() > 0 {
				t.Errorf("logged %q", b.logged)
			}
		})
	}
}

// TestRetryRefused checks which orders cannot be retried, and that neither they nor their
// tasks change and no room is kept for them.
func TestRetryRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		status order.Status // empty for an order that is unknown
	}{
		{"scheduled", scheduled, order.StatusScheduled},
		{"pending", accepted, order.StatusPending},
		{"processing", processing, order.StatusProcessing},
		{"retrying", retrying, order.StatusRetrying},
		{"completed", settled(order.StatusCompleted), order.StatusCompleted},
		{"cancelled", cancelled, order.StatusCancelled},
		{"unknown", unknown, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			before, task := b.record(), b.stateOf("o1")
			q := &fakeQueue{}
			in := newIntake(b.ledger, q, 1)
			for range 3 {
				rec, err := in.Retry(t.Context(), "o1")
				checkRefused(t, rec, err, row.status)
			}
			if diff := cmp.Diff(before, b.record()); diff != "" || len(q.ids) > 0 {
				t.Errorf("enqueued %v, record (-before +after):\n%s", q.ids, diff)
			}
			b.checkTask("afterwards", task)
			b.checkRetried(0)
			if _, isNew, err := in.Submit(t.Context(), ordertest.Order(t)); err != nil || !isNew {
				t.Errorf("there is no room: %v", err)
			}
		})
	}
}

// TestRetryNeedsRoom checks that a retry needs room as a new order does, and changes nothing
// without it.
func TestRetryNeedsRoom(t *testing.T) {
	b := open(t)
	archived(b)
	before := b.record()
	q := &fakeQueue{}
	var busy *order.BusyError
	if rec, err := newIntake(b.ledger, q, 0).Retry(t.Context(), "o1"); !errors.As(err, &busy) || busy.RetryAfter <= 0 || rec.ID != "" {
		t.Errorf("answered %+v, %v", rec, err)
	}
	b.checkRetried(0)
	if diff := cmp.Diff(before, b.record()); diff != "" || len(q.ids) > 0 {
		t.Errorf("enqueued %v, record (-before +after):\n%s", q.ids, diff)
	}
	in := newIntake(b.ledger, q, 1)
	if _, err := in.Retry(t.Context(), "o1"); err != nil || len(q.ids) != 1 {
		t.Errorf("with room for one: %v, enqueued %v", err, q.ids)
	}
	if _, _, err := in.Submit(t.Context(), ordertest.Order(t)); !errors.As(err, &busy) {
		t.Errorf("the next order answered %v", err)
	}
}

// TestRetryFaults breaks the write of Retry in both ways. The order may be pending then, and
// is retried once, whatever its operator does next.
func TestRetryFaults(t *testing.T) {
	t.Parallel()
	for fault, after := range map[redistest.Fault]order.Status{
		redistest.NotApplied: order.StatusFailed,
		redistest.ReplyLost:  order.StatusPending,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			archived(b)
			b.Breaker.Break(fault, redistest.Script("orders:"))
			if _, err := b.Retry(t.Context(), "o1"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken retry answered %v", err)
			}
			b.checkBroken()
			if s := b.record().Status; s != after {
				t.Errorf("the order is %s, want %s", s, after)
			}
			b.checkTask("after the fault", asynq.TaskStateArchived)
			rec, err := b.Retry(t.Context(), "o1")
			if fault == redistest.ReplyLost {
				checkRefused(t, rec, err, order.StatusPending)
			} else {
				queuetest.Must(t, err)
			}
			b.submit(b.record().Order) // the client's repeat does as recovery would
			if s := b.record().Status; s != order.StatusPending {
				t.Errorf("the order is %s", s)
			}
			b.checkTask("afterwards", asynq.TaskStatePending)
			b.checkRetried(1)
		})
	}
}

// TestRetryEnqueueFaults breaks each command that replaces the archived task of a retried
// order, the writes in both ways. The order is retried, a warning names it, and it has one
// task after it is sent again.
func TestRetryEnqueueFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		nth   int // of those that match
		fault redistest.Fault
		left  asynq.TaskState
	}{
		{"find the archived task", enqueues, 2, redistest.NotApplied, asynq.TaskStateArchived},
		{"read it", redistest.Script("asynq:"), 3, redistest.NotApplied, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.NotApplied, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.ReplyLost, noTask},
		{"add the new task", enqueues, 3, redistest.NotApplied, noTask},
		{"add the new task", enqueues, 3, redistest.ReplyLost, asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			archived(b)
			b.Breaker.BreakNth(row.nth, row.fault, row.match)
			rec, err := b.Retry(t.Context(), "o1")
			if err != nil || rec.Status != order.StatusPending || b.record().Status != order.StatusPending {
				t.Errorf("answered %s, %v", rec.Status, err)
			}
			b.checkBroken()
			b.checkWarned("order_id=o1")
			b.checkTask("after the fault", row.left)
			again, isNew, err := b.Submit(t.Context(), rec.Order)
			if err != nil || isNew || again.Status != order.StatusPending {
				t.Errorf("sent again: %s, new %t, %v", again.Status, isNew, err)
			}
			b.checkTask("afterwards", asynq.TaskStatePending)
			b.checkRetried(1)
		})
	}
}
