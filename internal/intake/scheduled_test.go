package intake_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
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

// TestTakeScheduled holds that an order for later is in the books as such, and
// that its task waits as long; one whose time has passed waits for a worker.
func TestTakeScheduled(t *testing.T) {
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

// TestTakeScheduledAgain holds that a repeated order for later which lost its task
// gets one that waits for its time.
func TestTakeScheduledAgain(t *testing.T) {
	b := open(t)
	o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(time.Now().Add(time.Hour)))
	b.take(t, o)
	b.dequeue(t, order.QueueDefault, "o1")
	if rec := b.take(t, o); rec.Status != order.StatusScheduled {
		t.Errorf("answered %s", rec.Status)
	}
	if state := b.stateOf("o1"); state != asynq.TaskStateScheduled {
		t.Errorf("the task is %v", state)
	}
}

// TestTakeScheduledConflict holds that the time belongs to the content of an order.
func TestTakeScheduledConflict(t *testing.T) {
	b := open(t)
	at := time.Now().Add(time.Hour)
	first := b.take(t, ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at)))
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
	if diff := cmp.Diff(first, b.take(t, elsewhere)); diff != "" {
		t.Errorf("the same time elsewhere (-want +got):\n%s", diff)
	}
}

// TestTakeScheduledFaults breaks both writes of an order for later in both ways a
// network can, repeats it, and wants one order and one task at its time.
func TestTakeScheduledFaults(t *testing.T) {
	t.Parallel()
	for write, match := range map[string]func(redis.Cmder) bool{
		"accept":  redistest.Script("orders:"),
		"enqueue": func(c redis.Cmder) bool { return c.Name() == "sadd" },
	} {
		for _, fault := range redistest.Faults() {
			t.Run(write+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(time.Now().Add(time.Hour)))
				b.breaker.Break(fault, match)
				_, _, err := b.Submit(t.Context(), o)
				if refused := errors.Is(err, order.ErrUnavailable); refused != (write == "accept") {
					t.Errorf("the broken submission answered %v", err)
				}
				if b.breaker.Fired() != 1 {
					t.Fatalf("%d commands were broken", b.breaker.Fired())
				}
				if n := strings.Count(b.logged.String(), "level=WARN"); (n == 1) != (write == "enqueue") {
					t.Errorf("logged %q", b.logged)
				}
				if rec := b.take(t, o); rec.Status != order.StatusScheduled {
					t.Errorf("the repeat answered %s", rec.Status)
				}
				if state := b.stateOf("o1"); state != asynq.TaskStateScheduled {
					t.Errorf("the task is %v", state)
				}
				totals, err := b.books.Totals(t.Context())
				if err != nil || totals.Accepted != 1 {
					t.Errorf("%d orders accepted, %v", totals.Accepted, err)
				}
			})
		}
	}
}
