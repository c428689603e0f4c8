package intake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// task returns Asynq's view of the order's task, nil if there is none.
func (b *bundle) task(q order.Queue, id string) *asynq.TaskInfo {
	info, err := b.asynq.GetTaskInfo(string(q), id)
	if err != nil {
		return nil
	}
	return info
}

// stateOf is the state of the order's task in the default queue, zero without one.
func (b *bundle) stateOf(id string) asynq.TaskState {
	if info := b.task(order.QueueDefault, id); info != nil {
		return info.State
	}
	return 0
}

// TestSubmitScheduled holds that an order for later is in the books as such, and
// that its task waits as long; one whose time has passed waits for a worker.
func TestSubmitScheduled(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		ahead  time.Duration
		status order.Status
		state  asynq.TaskState
	}{
		{"in an hour", time.Hour, order.StatusScheduled, asynq.TaskStateScheduled},
		{"in 30 days", order.MaxAhead - time.Minute, order.StatusScheduled, asynq.TaskStateScheduled},
		{"an hour ago", -time.Hour, order.StatusPending, asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			at := time.Now().Add(row.ahead)
			o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at))
			for n := range 3 {
				rec, isNew, err := b.Submit(t.Context(), o)
				if err != nil || isNew != (n == 0) || rec.Status != row.status || !rec.ProcessAt.Equal(o.ProcessAt) {
					t.Errorf("answered %s at %v, new %t, %v", rec.Status, rec.ProcessAt, isNew, err)
				}
				stored, err := b.books.Get(t.Context(), "o1")
				if diff := cmp.Diff(rec, stored); err != nil || diff != "" {
					t.Errorf("%v, stored (-returned +stored):\n%s", err, diff)
				}
				info := b.task(order.QueueDefault, "o1")
				if info == nil || info.State != row.state {
					t.Fatalf("the task is %+v, want it %v", info, row.state)
				}
				early := info.NextProcessAt.Before(o.ProcessAt)
				if row.state == asynq.TaskStateScheduled && (early || info.NextProcessAt.Sub(o.ProcessAt) >= time.Second) {
					t.Errorf("the task waits until %v, the order until %v", info.NextProcessAt, o.ProcessAt)
				}
			}
		})
	}
}

// TestSubmitScheduledConflict holds that the time belongs to the content of an order.
func TestSubmitScheduledConflict(t *testing.T) {
	b := open(t)
	at := time.Now().Add(time.Hour)
	first := b.submit(t, ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at)))
	for name, o := range map[string]order.Order{
		"at once":              ordertest.Order(t, ordertest.WithID("o1")),
		"a microsecond later":  ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at.Add(time.Microsecond))),
		"a microsecond before": ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at.Add(-time.Microsecond))),
	} {
		if _, _, err := b.Submit(t.Context(), o); !errors.Is(err, order.ErrConflict) {
			t.Errorf("%s: answered %v", name, err)
		}
	}
	elsewhere := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at.In(time.FixedZone("east", 3600))))
	if diff := cmp.Diff(first, b.submit(t, elsewhere)); diff != "" {
		t.Errorf("the same time elsewhere (-want +got):\n%s", diff)
	}
}
