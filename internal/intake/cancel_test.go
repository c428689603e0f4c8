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
			_, err := b.Retry(b.t.Context(), "o1", order.Intervention{Actor: "ops"})
			queuetest.Must(b.t, err)
		}, "second", asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			for _, reason := range []string{"second", "third"} {
				rec, err := b.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: reason})
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

// TestCancelFaults breaks each command of Cancel, the writes in both ways, and repeats the
// call. The order is cancelled once, with the reason that was stored first. Until its task
// is removed, a warning names it.
func TestCancelFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		match  func(redis.Cmder) bool
		fault  redistest.Fault
		fails  bool // the cancel is not recorded, or its answer is lost
		left   asynq.TaskState
		reason string // as stored
	}{
		{"record", redistest.Script("orders:"), redistest.NotApplied, true, asynq.TaskStateScheduled, "second"},
		{"record", redistest.Script("orders:"), redistest.ReplyLost, true, asynq.TaskStateScheduled, "first"},
		{"read the task", redistest.Script("asynq:"), redistest.NotApplied, false, asynq.TaskStateScheduled, "first"},
		{"remove the task", removes, redistest.NotApplied, false, asynq.TaskStateScheduled, "first"},
		{"remove the task", removes, redistest.ReplyLost, false, noTask, "first"},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			scheduled(b)
			b.Breaker.Break(row.fault, row.match)
			rec, err := b.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "first"})
			if errors.Is(err, order.ErrUnavailable) != row.fails || (rec.Status == order.StatusCancelled) == row.fails {
				t.Errorf("the broken cancel answered %s, %v", rec.Status, err)
			}
			b.checkBroken()
			if !row.fails {
				b.checkWarned("order_id=o1")
			}
			b.checkTask("after the fault", row.left)
			b.logged.Reset()
			rec, err = b.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "second"})
			if err != nil || rec.Status != order.StatusCancelled || rec.CancelReason != row.reason || b.logged.Len() > 0 {
				t.Errorf("the repeat answered %s because %q, %v, and logged %q", rec.Status, rec.CancelReason, err, b.logged)
			}
			b.checkTask("after the repeat", noTask)
			if n := b.totals().ByStatus[order.StatusCancelled]; n != 1 {
				t.Errorf("%d orders are cancelled", n)
			}
		})
	}
}
