package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestEnqueueScheduled checks until when a task waits. Asynq keeps whole seconds, so a time
// between two of them counts as the later one.
func TestEnqueueScheduled(t *testing.T) {
	t.Parallel()
	second := time.Now().Truncate(time.Second).Add(time.Hour)
	rows := []struct {
		name   string
		status order.Status
		at     time.Time
		state  asynq.TaskState
		want   time.Time // for a task that waits
	}{
		{"a whole second", order.StatusScheduled, second, asynq.TaskStateScheduled, second},
		{
			"a microsecond later", order.StatusScheduled, second.Add(time.Microsecond),
			asynq.TaskStateScheduled, second.Add(time.Second),
		},
		{
			"a microsecond before", order.StatusScheduled, second.Add(-time.Microsecond),
			asynq.TaskStateScheduled, second,
		},
		{
			"30 days ahead", order.StatusScheduled, second.Add(order.MaxAhead),
			asynq.TaskStateScheduled, second.Add(order.MaxAhead),
		},
		{"its time has passed", order.StatusScheduled, second.Add(-2 * time.Hour), asynq.TaskStatePending, time.Time{}},
		// The ledger uses the clock of Redis, which may be ahead of ours.
		{"its time has come for the ledger", order.StatusPending, second, asynq.TaskStatePending, time.Time{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			rec := scheduled("o1", order.QueueLow, row.at)
			rec.Status = row.status
			for n := range 3 {
				if added, err := b.Enqueue(t.Context(), rec); err != nil || added != (n == 0) {
					t.Errorf("time %d: added %t, %v", n+1, added, err)
				}
				info := b.Task(order.QueueLow, "o1")
				if info == nil || info.State != row.state {
					t.Fatalf("the task is %+v, want it %v", info, row.state)
				}
				if row.state == asynq.TaskStateScheduled && !info.NextProcessAt.Equal(row.want) {
					t.Errorf("the task waits until %v, want %v", info.NextProcessAt, row.want)
				}
			}
			checkPayload(t, b.Task(order.QueueLow, "o1").Payload, rec)
			if n, err := queue.NewInspector(b.RDB, 1).Backlog(t.Context()); n != 1 || err != nil {
				t.Errorf("backlog %d, %v", n, err)
			}
		})
	}
}

// TestScheduledIsDelivered checks that a consumer never gets an order before its time, and
// soon after it. The time is late in its second: cut to the second, it would be early.
func TestScheduledIsDelivered(t *testing.T) {
	b := open(t)
	type delivery struct {
		id string
		at time.Time
	}
	got := make(chan delivery, 10)
	b.consume(t, config(), func(_ context.Context, id string) error {
		got <- delivery{id, time.Now()}
		return nil
	})
	at := time.Now().Add(500 * time.Millisecond).Truncate(time.Second).Add(900 * time.Millisecond)
	rec := scheduled("later", order.QueueCritical, at)
	for range 3 {
		if _, err := b.Enqueue(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	b.enqueue(t, order.QueueLow, "now")
	if d := queuetest.Receive(t, "the order without a time is delivered", got); d.id != "now" {
		t.Errorf("first delivered is %s", d.id)
	}
	d := queuetest.Receive(t, "the order is delivered when its time has come", got)
	if late := d.at.Sub(rec.ProcessAt); d.id != "later" || late < 0 || late > time.Minute {
		t.Errorf("%s came %v after its time", d.id, late)
	}
	programtest.Until(t, "the task is gone", func() bool { return b.Task(order.QueueCritical, "later") == nil })
	queuetest.Never(t, "the order is delivered twice", func() bool { return len(got) > 0 })
}

// TestEnqueueAtAnotherTime enqueues an order whose id a cancelled order had before, and left
// a task of: it is delivered at its own time. TestTaskStates has the same for a pending order.
func TestEnqueueAtAnotherTime(t *testing.T) {
	b := open(t)
	b.enqueueRecord(t, scheduled("o1", order.QueueDefault, time.Now().Add(30*24*time.Hour)))
	again := scheduled("o1", order.QueueDefault, time.Now().Add(time.Hour).Truncate(time.Second))
	for _, want := range []bool{false, true} {
		if held, err := b.Holds(t.Context(), again); held != want || err != nil {
			t.Errorf("its task counts: %t, %v, want %t", held, err, want)
		}
		queuetest.Must(t, b.EnqueueAll(t.Context(), handovers(t, []order.Record{again})))
	}
	b.checkTasks(t, []order.Record{again})
}
