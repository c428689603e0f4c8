package intake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestSubmitNew checks that a new order is in the ledger and in the queue that the rules
// choose.
func TestSubmitNew(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		opts []ordertest.Option
		want order.Queue
	}{
		{"medium priority", nil, order.QueueDefault},
		{"high priority", []ordertest.Option{ordertest.WithPriority(order.PriorityHigh)}, order.QueueCritical},
		{"high value", []ordertest.Option{ordertest.WithAmount("1000.01")}, order.QueueCritical},
		{"low priority", []ordertest.Option{ordertest.WithPriority(order.PriorityLow)}, order.QueueLow},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			o := ordertest.Order(t, row.opts...)
			rec, isNew, err := b.Submit(t.Context(), o)
			if err != nil || !isNew {
				t.Fatalf("new %t, %v", isNew, err)
			}
			want := order.Record{Order: o, Status: order.StatusPending, Queue: row.want}
			if diff := cmp.Diff(want, rec, cmpopts.IgnoreTypes(time.Time{})); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			stored, err := b.ledger.Get(t.Context(), o.ID)
			if diff := cmp.Diff(rec, stored); err != nil || diff != "" {
				t.Errorf("%v, stored (-returned +stored):\n%s", err, diff)
			}
			if diff := cmp.Diff([]order.Queue{row.want}, b.queuesOf(o.ID)); diff != "" {
				t.Errorf("queues (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSubmitKnown checks what a repeated submission does in each status of the order.
func TestSubmitKnown(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		status order.Status
		tasks  int
	}{
		{"pending", accepted, order.StatusPending, 1},
		{"pending without a task", withoutTask(accepted), order.StatusPending, 1},
		{"processing", withoutTask(processing), order.StatusProcessing, 0},
		{"retrying", withoutTask(retrying), order.StatusRetrying, 0},
		{"completed", settled(order.StatusCompleted), order.StatusCompleted, 0},
		{"cancelled", cancelled, order.StatusCancelled, 0},
		{"retried and not queued yet", func(b *bundle) {
			settled(order.StatusFailed)(b)
			_, err := b.ledger.Retry(b.t.Context(), "o1", "r")
			queuetest.Must(b.t, err)
		}, order.StatusPending, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			rec, isNew, err := b.Submit(t.Context(), b.record().Order)
			if err != nil || isNew || rec.Status != row.status {
				t.Errorf("answered %s, new %t, %v, want %s", rec.Status, isNew, err, row.status)
			}
			if n := len(b.queuesOf("o1")); n != row.tasks {
				t.Errorf("the order has %d tasks, want %d", n, row.tasks)
			}
		})
	}
}

// TestSubmitMakesID checks that an order without an id gets one that sorts by time.
func TestSubmitMakesID(t *testing.T) {
	b := open(t)
	last := ""
	for range 100 {
		rec, isNew, err := b.Submit(t.Context(), unnamed(t))
		if err != nil || !isNew {
			t.Fatalf("new %t, %v", isNew, err)
		}
		id, err := uuid.Parse(rec.ID)
		if err != nil || id.Version() != 7 || !order.ValidID(rec.ID) || rec.ID != id.String() {
			t.Errorf("id %q: version %d, %v", rec.ID, id.Version(), err)
		}
		if rec.ID <= last {
			t.Errorf("id %q after %q", rec.ID, last)
		}
		last = rec.ID
		if len(b.queuesOf(rec.ID)) != 1 {
			t.Errorf("order %s is not queued", rec.ID)
		}
	}
}

// TestMadeIDIsNew checks that an order whose id Submit made is new even if the ledger
// knows it: go-redis had repeated the script.
func TestMadeIDIsNew(t *testing.T) {
	t.Parallel()
	for _, o := range []order.Order{ordertest.Order(t), unnamed(t)} {
		in := newIntake(knowsAll{}, &fakeQueue{}, 1)
		if _, isNew, err := in.Submit(t.Context(), o); isNew != (o.ID == "") || err != nil {
			t.Errorf("id %q: new %t, %v", o.ID, isNew, err)
		}
	}
}

// knowsAll is a ledger that knows every order.
type knowsAll struct{ intake.Ledger }

func (knowsAll) AcceptAll(_ context.Context, entries []order.Entry) ([]order.Acceptance, error) {
	all := make([]order.Acceptance, len(entries))
	for i, e := range entries {
		all[i].Record = order.Record{Order: e.Order, Status: order.StatusCompleted, Queue: e.Queue}
	}
	return all, nil
}

// TestErrors checks that intake returns the errors of the ledger unchanged, keeps no room
// for the order, and changes no task: fakeQueue panics when it is to withdraw one.
func TestErrors(t *testing.T) {
	t.Parallel()
	calls := map[string]func(in *intake.Intake) (order.Record, error){
		"submit": func(in *intake.Intake) (order.Record, error) {
			rec, isNew, err := in.Submit(t.Context(), ordertest.Order(t))
			if isNew {
				t.Error("the order is new")
			}
			return rec, err
		},
		"cancel": func(in *intake.Intake) (order.Record, error) { return in.Cancel(t.Context(), "o1", "") },
		"retry":  func(in *intake.Intake) (order.Record, error) { return in.Retry(t.Context(), "o1") },
	}
	for name, call := range calls {
		for _, want := range []error{
			order.ErrUnavailable, order.ErrConflict, order.ErrNotFound, order.ErrUnreadable,
			&order.StatusError{Status: order.StatusFailed}, errors.New("odd"),
		} {
			q := &fakeQueue{}
			in := newIntake(&fakeLedger{err: want}, q, 1)
			for range 2 {
				if rec, err := call(in); !errors.Is(err, want) || rec.ID != "" || len(q.ids) > 0 {
					t.Errorf("%s: %+v, %v, want %v; enqueued %v", name, rec, err, want, q.ids)
				}
			}
		}
	}
}

// TestEnqueueFaults breaks each write of the task in both ways. The order is accepted. If
// it is not queued, a warning gives the reason; a broken script is repeated.
func TestEnqueueFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		match  func(redis.Cmder) bool
		nth    int // of those that match
		warned bool
	}{
		{"name the queue", func(c redis.Cmder) bool { return c.Name() == "sadd" }, 1, true},
		{"add the task", redistest.Script("asynq:"), 1, false},
		{"add the task again", redistest.Script("asynq:"), 2, false},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				o := ordertest.Order(t, ordertest.WithID("o1"))
				b.Breaker.BreakNth(row.nth, fault, row.match)
				rec, isNew, err := b.Submit(t.Context(), o)
				if err != nil || !isNew || rec.ID != "o1" || rec.Status != order.StatusPending {
					t.Errorf("answered %+v, new %t, %v", rec, isNew, err)
				}
				b.checkBroken()
				if row.warned {
					b.checkWarned("order_id=o1")
				} else if n := len(b.queuesOf("o1")); n != 1 || b.logged.Len() > 0 {
					t.Errorf("the order has %d tasks, logged %q", n, b.logged)
				}
				b.submit(o)
				if diff := cmp.Diff([]order.Queue{order.QueueDefault}, b.queuesOf("o1")); diff != "" {
					t.Errorf("queues after the repeat (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestSubmitKnownWhenFull checks that an order which was accepted before is returned even
// when the queues are full, and that no other order is accepted then.
func TestSubmitKnownWhenFull(t *testing.T) {
	b := open(t)
	known := ordertest.Order(t)
	rec := b.submit(known)
	other := known
	other.Notes = "different"
	full := newIntake(b.ledger, &fakeQueue{}, 0)

	got, isNew, err := full.Submit(t.Context(), known)
	if diff := cmp.Diff(rec, got); err != nil || isNew || diff != "" {
		t.Errorf("the same order: new %t, %v (-want +got):\n%s", isNew, err, diff)
	}
	if _, _, err := full.Submit(t.Context(), other); !errors.Is(err, order.ErrConflict) {
		t.Errorf("the same id with other content: %v", err)
	}
	for _, o := range []order.Order{unnamed(t), ordertest.Order(t)} {
		var busy *order.BusyError
		if _, _, err := full.Submit(t.Context(), o); !errors.As(err, &busy) {
			t.Errorf("a new order: %v", err)
		}
	}
}

// TestSubmitScheduled checks that the ledger and the task of a scheduled order have its
// time, and that an order whose time has passed is pending.
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
			o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(time.Now().Add(row.ahead)))
			for n := range 3 {
				rec, isNew, err := b.Submit(t.Context(), o)
				if err != nil || isNew != (n == 0) || rec.Status != row.status || !rec.ProcessAt.Equal(o.ProcessAt) {
					t.Errorf("answered %s at %v, new %t, %v", rec.Status, rec.ProcessAt, isNew, err)
				}
				if diff := cmp.Diff(rec, b.record()); diff != "" {
					t.Errorf("stored (-returned +stored):\n%s", diff)
				}
				info := b.Task(order.QueueDefault, "o1")
				if info == nil || info.State != row.state {
					t.Fatalf("the task is %+v, want it %v", info, row.state)
				}
				late := info.NextProcessAt.Sub(o.ProcessAt)
				if row.state == asynq.TaskStateScheduled && (late < 0 || late >= time.Second) {
					t.Errorf("the task waits until %v, the order until %v", info.NextProcessAt, o.ProcessAt)
				}
			}
		})
	}
}

// TestSubmitScheduledConflict checks that the time is a part of the order's content.
func TestSubmitScheduledConflict(t *testing.T) {
	b := open(t)
	at := time.Now().Add(time.Hour)
	orderAt := func(at time.Time) order.Order {
		return ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(at))
	}
	first := b.submit(orderAt(at))
	for name, o := range map[string]order.Order{
		"at once":              ordertest.Order(t, ordertest.WithID("o1")),
		"a microsecond later":  orderAt(at.Add(time.Microsecond)),
		"a microsecond before": orderAt(at.Add(-time.Microsecond)),
	} {
		if _, _, err := b.Submit(t.Context(), o); !errors.Is(err, order.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := orderAt(at.In(time.FixedZone("east", 3600)))
	if diff := cmp.Diff(first, b.submit(elsewhere)); diff != "" {
		t.Errorf("the same time elsewhere (-want +got):\n%s", diff)
	}
}
