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
			rec, err := b.Retry(t.Context(), "o1", order.Intervention{Actor: "ops"})
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

// TestRetryNeedsRoom checks that a retry needs room as a new order does, and changes nothing
// without it.
func TestRetryNeedsRoom(t *testing.T) {
	b := open(t)
	archived(b)
	before := b.record()
	q := &fakeQueue{}
	var busy *order.BusyError
	if rec, err := newIntake(b.ledger, q, 0).Retry(t.Context(), "o1", order.Intervention{Actor: "ops"}); !errors.As(err, &busy) || busy.RetryAfter <= 0 || rec.ID != "" {
		t.Errorf("answered %+v, %v", rec, err)
	}
	b.checkRetried(0)
	if diff := cmp.Diff(before, b.record()); diff != "" || len(q.ids) > 0 {
		t.Errorf("enqueued %v, record (-before +after):\n%s", q.ids, diff)
	}
	in := newIntake(b.ledger, q, 1)
	if _, err := in.Retry(t.Context(), "o1", order.Intervention{Actor: "ops"}); err != nil || len(q.ids) != 1 {
		t.Errorf("with room for one: %v, enqueued %v", err, q.ids)
	}
	if _, _, err := in.Submit(t.Context(), ordertest.Order(t)); !errors.As(err, &busy) {
		t.Errorf("the next order answered %v", err)
	}
}

// TestRetryFaults breaks each command of Retry, the writes in both ways. Unless the write
// of the record was lost the order is pending then, even if its operator got an error. It
// is retried once, whatever its operator and client do next, and has one task in the end.
func TestRetryFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		nth   int // of those that match
		fault redistest.Fault
		fails bool
		after order.Status
		left  asynq.TaskState
	}{
		{"record", redistest.Script("orders:"), 1, redistest.NotApplied, true, order.StatusFailed, asynq.TaskStateArchived},
		{"record", redistest.Script("orders:"), 1, redistest.ReplyLost, true, order.StatusPending, asynq.TaskStateArchived},
		{"find the archived task", enqueues, 2, redistest.NotApplied, false, order.StatusPending, asynq.TaskStateArchived},
		{"read it", redistest.Script("asynq:"), 3, redistest.NotApplied, false, order.StatusPending, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.NotApplied, false, order.StatusPending, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.ReplyLost, false, order.StatusPending, noTask},
		{"add the new task", enqueues, 3, redistest.NotApplied, false, order.StatusPending, noTask},
		{"add the new task", enqueues, 3, redistest.ReplyLost, false, order.StatusPending, asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			archived(b)
			b.Breaker.BreakNth(row.nth, row.fault, row.match)
			rec, err := b.Retry(t.Context(), "o1", order.Intervention{Actor: "ops"})
			if errors.Is(err, order.ErrUnavailable) != row.fails || (rec.Status == order.StatusPending) == row.fails {
				t.Errorf("the broken retry answered %s, %v", rec.Status, err)
			}
			b.checkBroken()
			if !row.fails {
				b.checkWarned("order_id=o1")
			}
			if s := b.record().Status; s != row.after {
				t.Errorf("the order is %s, want %s", s, row.after)
			}
			b.checkTask("after the fault", row.left)
			rec, err = b.Retry(t.Context(), "o1", order.Intervention{Actor: "ops"})
			if row.after == order.StatusPending {
				checkRefused(t, rec, err, order.StatusPending)
			} else {
				queuetest.Must(t, err)
			}
			again, isNew, err := b.Submit(t.Context(), b.record().Order) // recovery would do the same
			if err != nil || isNew || again.Status != order.StatusPending {
				t.Errorf("sent again: %s, new %t, %v", again.Status, isNew, err)
			}
			b.checkTask("afterwards", asynq.TaskStatePending)
			b.checkRetried(1)
		})
	}
}
