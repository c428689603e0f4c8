package intake_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// archived is order o1 after it failed for good, as the worker and Asynq leave it.
func archived(t *testing.T, b *bundle) {
	t.Helper()
	taken(t, b)
	out := order.Outcome{Status: order.StatusFailed, Error: "the reason"}
	if err := b.books.Settle(t.Context(), b.attempt(t, "o1"), out); err != nil {
		t.Fatal(err)
	}
	if err := b.asynq.ArchiveTask("default", "o1"); err != nil {
		t.Fatal(err)
	}
}

// retried is how often the books say that an order was retried.
func (b *bundle) retried(t *testing.T) int64 {
	t.Helper()
	totals, err := b.books.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return totals.Retried
}

// TestRetry holds that an order which was decided against waits for a worker
// again, and has a task that one will take.
func TestRetry(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]step{
		"failed, its task archived":  archived,
		"failed, without a task":     settled(order.StatusFailed),
		"rejected, without a task":   settled(order.StatusRejected),
		"failed, its task not ended": func(t *testing.T, b *bundle) { t.Helper(); settled(order.StatusFailed)(t, b); b.requeue(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			before(t, b)
			was := b.record(t)
			rec, err := b.Retry(t.Context(), "o1")
			if err != nil {
				t.Fatal(err)
			}
			want := was
			want.Status, want.ProcessedAt = order.StatusPending, time.Time{}
			if diff := cmp.Diff(want, rec); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rec, b.record(t)); diff != "" {
				t.Errorf("stored (-returned +stored):\n%s", diff)
			}
			if state := b.stateOf("o1"); state != asynq.TaskStatePending {
				t.Errorf("the task is %v", state)
			}
			if n := b.retried(t); n != 1 || b.logged.Len() > 0 {
				t.Errorf("%d retries are counted, logged %q", n, b.logged)
			}
		})
	}
}

// requeue gives order o1 a task whatever its status.
func (b *bundle) requeue(t *testing.T) {
	t.Helper()
	p := queue.NewProducer(b.rdb, queue.ProducerConfig{AttemptTimeout: time.Second})
	if _, err := p.Enqueue(t.Context(), b.record(t)); err != nil {
		t.Fatal(err)
	}
}

// TestRetryRefused holds which orders cannot be retried, and that the try changes
// neither them nor their tasks, and takes no room.
func TestRetryRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		status order.Status // empty for an order that is unknown
	}{
		{"waiting for its time", scheduled, order.StatusScheduled},
		{"waiting for a worker", taken, order.StatusPending},
		{"being worked", begun, order.StatusProcessing},
		{"waiting for its next attempt", retrying, order.StatusRetrying},
		{"completed", settled(order.StatusCompleted), order.StatusCompleted},
		{"withdrawn", cancelled, order.StatusCancelled},
		{"unknown", func(*testing.T, *bundle) {}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			before, task := b.record(t), b.stateOf("o1")
			q := &tasks{}
			in := intake.New(b.books, q, shop, intake.NewAdmission(nil, nil, 1), slog.New(slog.DiscardHandler))
			for range 3 {
				rec, err := in.Retry(t.Context(), "o1")
				checkRefused(t, err, row.status)
				if diff := cmp.Diff(order.Record{}, rec); diff != "" {
					t.Errorf("a record came beside the error (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(before, b.record(t)); diff != "" {
				t.Errorf("record (-before +after):\n%s", diff)
			}
			if state := b.stateOf("o1"); state != task || len(q.ids) > 0 {
				t.Errorf("the task was %v and is %v, queued %v", task, state, q.ids)
			}
			if n := b.retried(t); n != 0 {
				t.Errorf("%d retries are counted", n)
			}
			if _, isNew, err := in.Submit(t.Context(), ordertest.Order(t)); err != nil || !isNew {
				t.Errorf("the place was not given back: %v", err)
			}
		})
	}
}

// TestRetryNeedsRoom holds that a retry takes a place as a new order does, and
// that it changes nothing when there is none.
func TestRetryNeedsRoom(t *testing.T) {
	b := open(t)
	archived(t, b)
	before := b.record(t)
	narrow := func(limit int) (*intake.Intake, *tasks) {
		q := &tasks{}
		return intake.New(b.books, q, shop, intake.NewAdmission(nil, nil, limit), slog.New(slog.DiscardHandler)), q
	}
	var busy *order.BusyError
	full, q := narrow(0)
	if rec, err := full.Retry(t.Context(), "o1"); !errors.As(err, &busy) || busy.RetryAfter <= 0 || rec.ID != "" {
		t.Errorf("answered %+v, %v", rec, err)
	}
	if diff := cmp.Diff(before, b.record(t)); diff != "" || len(q.ids) > 0 || b.retried(t) != 0 {
		t.Errorf("queued %v, %d retries are counted, record (-before +after):\n%s", q.ids, b.retried(t), diff)
	}
	last, q := narrow(1)
	if _, err := last.Retry(t.Context(), "o1"); err != nil || len(q.ids) != 1 {
		t.Errorf("the last place: %v, queued %v", err, q.ids)
	}
	if _, _, err := last.Submit(t.Context(), ordertest.Order(t)); !errors.As(err, &busy) {
		t.Errorf("the next order answered %v", err)
	}
}

// TestRetryPassesErrors holds that intake adds nothing to what the ledger says,
// queues nothing then, and gives the place back.
func TestRetryPassesErrors(t *testing.T) {
	t.Parallel()
	for _, want := range []error{order.ErrUnavailable, order.ErrUnreadable, errors.New("odd")} {
		q := &tasks{}
		in := intake.New(answering{err: want}, q, shop, intake.NewAdmission(nil, nil, 1), slog.New(slog.DiscardHandler))
		for range 2 {
			if rec, err := in.Retry(t.Context(), "o1"); !errors.Is(err, want) || !cmp.Equal(rec, order.Record{}) {
				t.Errorf("answered %+v, %v, want %v", rec, err, want)
			}
		}
		if len(q.ids) > 0 {
			t.Errorf("queued %v", q.ids)
		}
	}
}

// TestRetryFaults breaks the write of the retry in both ways a network can. The
// order may be pending then, and is retried once whatever its operator does next.
func TestRetryFaults(t *testing.T) {
	t.Parallel()
	for fault, after := range map[redistest.Fault]order.Status{
		redistest.NotApplied: order.StatusFailed,
		redistest.ReplyLost:  order.StatusPending,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			archived(t, b)
			b.breaker.Break(fault, redistest.Script("orders:"))
			if _, err := b.Retry(t.Context(), "o1"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken retry answered %v", err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if s, task := b.record(t).Status, b.stateOf("o1"); s != after || task != asynq.TaskStateArchived {
				t.Errorf("the order is %s, want %s, and its task %v", s, after, task)
			}
			_, err := b.Retry(t.Context(), "o1")
			if fault == redistest.ReplyLost {
				checkRefused(t, err, order.StatusPending)
			} else if err != nil {
				t.Errorf("the repeat answered %v", err)
			}
			b.submit(t, b.record(t).Order) // the client's repeat, or recovery
			if s, task := b.record(t).Status, b.stateOf("o1"); s != order.StatusPending || task != asynq.TaskStatePending {
				t.Errorf("the order is %s and its task %v", s, task)
			}
			if n := b.retried(t); n != 1 {
				t.Errorf("%d retries are counted", n)
			}
		})
	}
}

// TestRetryEnqueueFaults breaks each command by which a retried order gets a task
// in the place of its archived one, the writes in both ways a network can. The
// order is retried all the same, a line in the log says why it waits, and it has
// one task after it is sent again.
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
		{"look at it", redistest.Script("asynq:"), 3, redistest.NotApplied, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.NotApplied, asynq.TaskStateArchived},
		{"remove it", removes, 1, redistest.ReplyLost, 0},
		{"add the new task", enqueues, 3, redistest.NotApplied, 0},
		{"add the new task", enqueues, 3, redistest.ReplyLost, asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			archived(t, b)
			b.breakNth(row.nth, row.fault, row.match)
			rec, err := b.Retry(t.Context(), "o1")
			if err != nil || rec.Status != order.StatusPending || b.record(t).Status != order.StatusPending {
				t.Errorf("answered %s, %v", rec.Status, err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if log := b.logged.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "order_id=o1") {
				t.Errorf("logged %q", log)
			}
			if state := b.stateOf("o1"); state != row.left {
				t.Errorf("after the fault the task is %v, want %v", state, row.left)
			}
			again, isNew, err := b.Submit(t.Context(), rec.Order)
			if err != nil || isNew || again.Status != order.StatusPending {
				t.Errorf("sent again: %s, new %t, %v", again.Status, isNew, err)
			}
			if state := b.stateOf("o1"); state != asynq.TaskStatePending {
				t.Errorf("the task is %v", state)
			}
			if n := b.retried(t); n != 1 {
				t.Errorf("%d retries are counted", n)
			}
		})
	}
}

// enqueues matches the script by which Asynq takes in a task for a worker.
func enqueues(c redis.Cmder) bool {
	if !redistest.Script("asynq:")(c) {
		return false
	}
	key, _ := c.Args()[4].(string)
	return strings.HasSuffix(key, ":pending")
}
