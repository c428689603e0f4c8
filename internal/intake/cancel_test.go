package intake_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestCancel checks which orders can be cancelled, which tasks remain, and that Cancel can
// be repeated.
func TestCancel(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		reason string // as stored
		task   asynq.TaskState
	}{
		{"scheduled", scheduled, "second", noTask},
		{"pending", accepted, "second", asynq.TaskStatePending},
		{"pending without a task", withoutTask(accepted), "second", noTask},
		{"retrying", retrying, "second", asynq.TaskStatePending},
		{"cancelled before", cancelled, "first", noTask},
		{"retried after it failed", func(b *bundle) {
			settled(order.StatusFailed)(b)
			_, err := b.Retry(b.t.Context(), "o1")
			queuetest.Must(b.t, err)
		}, "second", asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			for _, reason := range []string{"second", "third"} {
				rec, err := b.Cancel(t.Context(), "o1", reason)
				if err != nil || rec.Status != order.StatusCancelled || rec.CancelReason != row.reason || rec.ProcessedAt.IsZero() {
					t.Errorf("answered %+v, %v", rec, err)
				}
				if diff := cmp.Diff(rec, b.record()); diff != "" {
					t.Errorf("stored (-returned +stored):\n%s", diff)
				}
				b.checkTask("afterwards", row.task)
			}
			if b.logged.Len() > 0 {
				t.Errorf("logged %q", b.logged)
			}
		})
	}
}

// TestCancelRefused checks which orders cannot be cancelled, and that neither they nor their
// tasks change.
func TestCancelRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		status order.Status // empty for an order that is unknown
	}{
		{"processing", processing, order.StatusProcessing},
		{"completed", settled(order.StatusCompleted), order.StatusCompleted},
		{"rejected", settled(order.StatusRejected), order.StatusRejected},
		{"failed", settled(order.StatusFailed), order.StatusFailed},
		{"unknown", unknown, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			before, task := b.record(), b.stateOf("o1")
			rec, err := b.Cancel(t.Context(), "o1", "too late")
			checkRefused(t, rec, err, row.status)
			if diff := cmp.Diff(before, b.record()); diff != "" {
				t.Errorf("record (-before +after):\n%s", diff)
			}
			b.checkTask("afterwards", task)
		})
	}
}

// TestCancelFaults breaks the write of Cancel in both ways and repeats it. The order is
// cancelled once, with the reason that was stored first.
func TestCancelFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[redistest.Fault]string{redistest.NotApplied: "second", redistest.ReplyLost: "first"} {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			scheduled(b)
			b.Breaker.Break(fault, redistest.Script("orders:"))
			if _, err := b.Cancel(t.Context(), "o1", "first"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken cancel answered %v", err)
			}
			b.checkBroken()
			b.checkTask("before the repeat", asynq.TaskStateScheduled)
			rec, err := b.Cancel(t.Context(), "o1", "second")
			if err != nil || rec.Status != order.StatusCancelled || rec.CancelReason != want {
				t.Errorf("the repeat answered %s because %q, %v", rec.Status, rec.CancelReason, err)
			}
			b.checkTask("after the repeat", noTask)
			if n := b.totals().ByStatus[order.StatusCancelled]; n != 1 {
				t.Errorf("%d orders are cancelled", n)
			}
		})
	}
}

// TestWithdrawFaults breaks each command that removes the task. The order is cancelled, a
// warning names it, and a repeat removes the task.
func TestWithdrawFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		fault redistest.Fault
		left  asynq.TaskState
	}{
		{"read the task", redistest.Script("asynq:"), redistest.NotApplied, asynq.TaskStateScheduled},
		{"remove the task", removes, redistest.NotApplied, asynq.TaskStateScheduled},
		{"remove the task", removes, redistest.ReplyLost, noTask},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			scheduled(b)
			b.Breaker.Break(row.fault, row.match)
			rec, err := b.Cancel(t.Context(), "o1", "changed my mind")
			if err != nil || rec.Status != order.StatusCancelled || b.record().Status != order.StatusCancelled {
				t.Errorf("answered %s, %v", rec.Status, err)
			}
			b.checkBroken()
			b.checkWarned("order_id=o1")
			b.checkTask("after the fault", row.left)
			b.logged.Reset()
			if _, err := b.Cancel(t.Context(), "o1", ""); err != nil || b.logged.Len() > 0 {
				t.Errorf("the repeat answered %v, logged %q", err, b.logged)
			}
			b.checkTask("after the repeat", noTask)
		})
	}
}
