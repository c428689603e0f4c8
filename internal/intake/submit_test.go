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
			_, err := b.ledger.Retry(b.t.Context(), "o1", "r", order.Intervention{Actor: "ops"})
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
		"cancel": func(in *intake.Intake) (order.Record, error) {
			return in.Cancel(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: ""})
		},
		"retry": func(in *intake.Intake) (order.Record, error) {
			return in.Retry(t.Context(), "o1", order.Intervention{Actor: "ops"})
		},
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

// TestSubmitFaults breaks each command of Submit in both ways. Without a record the
// submission fails. Without a task the order is accepted, and a warning gives the reason; a
// broken script is repeated. When the order is sent again, it is accepted once and has its
// task.
func TestSubmitFaults(t *testing.T) {
	t.Parallel()
	const pending, scheduled = order.StatusPending, order.StatusScheduled
	records, tasks := redistest.Script("orders:"), redistest.Script("asynq:")
	names := func(c redis.Cmder) bool { return c.Name() == "sadd" }
	rows := []struct {
		name   string
		status order.Status // of the order
		match  func(redis.Cmder) bool
		nth    int // of those that match
		fails  bool
		warned bool
	}{
		{"record", pending, records, 1, true, false},
		{"record a scheduled order", scheduled, records, 1, true, false},
		{"name the queue", pending, names, 1, false, true},
		{"name the queue of a scheduled order", scheduled, names, 1, false, true},
		{"add the task", pending, tasks, 1, false, false},
		{"add the task of a scheduled order", scheduled, tasks, 1, false, false},
		{"add the task again", pending, tasks, 2, false, false},
		{"find the task of a scheduled order", scheduled, tasks, 2, false, true},
	}
	states := map[order.Status]asynq.TaskState{pending: asynq.TaskStatePending, scheduled: asynq.TaskStateScheduled}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				o := ordertest.Order(t, ordertest.WithID("o1"))
				if row.status == scheduled {
					o.ProcessAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
				}
				b.Breaker.BreakNth(row.nth, fault, row.match)
				rec, isNew, err := b.Submit(t.Context(), o)
				if errors.Is(err, order.ErrUnavailable) != row.fails || (err != nil) != row.fails {
					t.Errorf("answered %v", err)
				}
				if !row.fails && (!isNew || rec.ID != "o1" || rec.Status != row.status) {
					t.Errorf("answered %+v, new %t", rec, isNew)
				}
				b.checkBroken()
				if row.warned {
					b.checkWarned("order_id=o1")
				} else if b.logged.Len() > 0 {
					t.Errorf("logged %q", b.logged)
				}
				if !row.fails && !row.warned {
					b.checkTask("after the fault", states[row.status])
				}
				if rec := b.submit(o); rec.Status != row.status {
					t.Errorf("sent again, the order is %s", rec.Status)
				}
				b.checkTask("afterwards", states[row.status])
				if n := b.totals().Accepted; n != 1 {
					t.Errorf("%d orders are accepted", n)
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
