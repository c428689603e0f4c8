package intake_test

import (
	"context"
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
	"orderprocessor/internal/redistest"
)

// step is something that happened to order o1 before.
type step func(t *testing.T, b *bundle)

// taken is order o1, waiting for a worker with its task.
func taken(t *testing.T, b *bundle) {
	t.Helper()
	b.submit(t, ordertest.Order(t, ordertest.WithID("o1")))
}

// scheduled is order o1, waiting an hour for its time with its task.
func scheduled(t *testing.T, b *bundle) {
	t.Helper()
	b.submit(t, ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithProcessAt(time.Now().Add(time.Hour))))
}

// begun is order o1 with an attempt that runs.
func begun(t *testing.T, b *bundle) {
	t.Helper()
	taken(t, b)
	b.attempt(t, "o1")
}

// retrying is order o1 after a failed attempt.
func retrying(t *testing.T, b *bundle) {
	t.Helper()
	taken(t, b)
	if err := b.books.Fail(t.Context(), b.attempt(t, "o1"), order.Failure{Error: "busy", RetryIn: time.Minute}); err != nil {
		t.Fatal(err)
	}
}

// settled is order o1 with an outcome, and without a task.
func settled(s order.Status) step {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		taken(t, b)
		out := order.Outcome{Status: s}
		if s != order.StatusCompleted {
			out.Error = "the reason"
		}
		if err := b.books.Settle(t.Context(), b.attempt(t, "o1"), out); err != nil {
			t.Fatal(err)
		}
		b.dequeue(t, order.QueueDefault, "o1")
	}
}

// cancelled is order o1, withdrawn earlier.
func cancelled(t *testing.T, b *bundle) {
	t.Helper()
	scheduled(t, b)
	if _, err := b.Cancel(t.Context(), "o1", "first"); err != nil {
		t.Fatal(err)
	}
}

// record is order o1 in the books, empty without one.
func (b *bundle) record(t *testing.T) order.Record {
	t.Helper()
	rec, err := b.books.Get(t.Context(), "o1")
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		t.Fatal(err)
	}
	return rec
}

// TestCancel holds which orders can be withdrawn, what is left of them, and that
// it can be done again.
func TestCancel(t *testing.T) {
	t.Parallel()
	const none = asynq.TaskState(0)
	rows := []struct {
		name   string
		before step
		reason string // as stored
		task   asynq.TaskState
	}{
		{"waiting for its time", scheduled, "second", none},
		{"waiting for a worker", taken, "second", asynq.TaskStatePending},
		{"waiting without a task", func(t *testing.T, b *bundle) {
			t.Helper()
			taken(t, b)
			b.dequeue(t, order.QueueDefault, "o1")
		}, "second", none},
		{"waiting for its next attempt", retrying, "second", asynq.TaskStatePending},
		{"withdrawn before", cancelled, "first", none},
		{"retried after it failed", func(t *testing.T, b *bundle) {
			t.Helper()
			settled(order.StatusFailed)(t, b)
			if _, err := b.Retry(t.Context(), "o1"); err != nil {
				t.Fatal(err)
			}
		}, "second", asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			for _, reason := range []string{"second", "third"} {
				rec, err := b.Cancel(t.Context(), "o1", reason)
				if err != nil || rec.Status != order.StatusCancelled || rec.CancelReason != row.reason || rec.ProcessedAt.IsZero() {
					t.Errorf("answered %+v, %v", rec, err)
				}
				if diff := cmp.Diff(rec, b.record(t)); diff != "" {
					t.Errorf("stored (-returned +stored):\n%s", diff)
				}
				if state := b.stateOf("o1"); state != row.task {
					t.Errorf("the task is %v, want %v", state, row.task)
				}
			}
			if b.logged.Len() > 0 {
				t.Errorf("logged %q", b.logged)
			}
		})
	}
}

// TestCancelTooLate holds which orders cannot be withdrawn, and that the try
// changes neither them nor their tasks.
func TestCancelTooLate(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		before step
		status order.Status // empty for an order that is unknown
	}{
		{"being worked", begun, order.StatusProcessing},
		{"completed", settled(order.StatusCompleted), order.StatusCompleted},
		{"rejected", settled(order.StatusRejected), order.StatusRejected},
		{"failed", settled(order.StatusFailed), order.StatusFailed},
		{"unknown", func(*testing.T, *bundle) {}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			before, task := b.record(t), b.stateOf("o1")
			rec, err := b.Cancel(t.Context(), "o1", "too late")
			checkRefused(t, err, row.status)
			if diff := cmp.Diff(order.Record{}, rec); diff != "" {
				t.Errorf("a record came beside the error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, b.record(t)); diff != "" {
				t.Errorf("record (-before +after):\n%s", diff)
			}
			if state := b.stateOf("o1"); state != task {
				t.Errorf("the task was %v and is %v", task, state)
			}
		})
	}
}

// checkRefused wants a change refused because of the order's status, or because
// there is no such order.
func checkRefused(t *testing.T, err error, s order.Status) {
	t.Helper()
	var refused *order.StatusError
	if s == "" {
		if !errors.Is(err, order.ErrNotFound) {
			t.Errorf("answered %v", err)
		}
	} else if !errors.As(err, &refused) || refused.Status != s {
		t.Errorf("answered %v, want the order's status, %s", err, s)
	}
}

// TestCancelFaults breaks the write of the cancel in both ways a network can,
// repeats it, and wants the order withdrawn once, with the reason given first.
func TestCancelFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			scheduled(t, b)
			b.breaker.Break(fault, redistest.Script("orders:"))
			if _, err := b.Cancel(t.Context(), "o1", "first"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken cancel answered %v", err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if state := b.stateOf("o1"); state != asynq.TaskStateScheduled {
				t.Errorf("the task of an order that may not be withdrawn is %v", state)
			}
			want := "second"
			if fault == redistest.ReplyLost {
				want = "first"
			}
			rec, err := b.Cancel(t.Context(), "o1", "second")
			if err != nil || rec.Status != order.StatusCancelled || rec.CancelReason != want {
				t.Errorf("the repeat answered %s because %q, %v", rec.Status, rec.CancelReason, err)
			}
			if state := b.stateOf("o1"); state != 0 {
				t.Errorf("the task is %v", state)
			}
			totals, err := b.books.Totals(t.Context())
			if err != nil || totals.ByStatus[order.StatusCancelled] != 1 {
				t.Errorf("%d orders cancelled, %v", totals.ByStatus[order.StatusCancelled], err)
			}
		})
	}
}

// TestCancelWithdrawFaults breaks each command by which the task is taken off the
// queue. The order is withdrawn all the same, a line in the log says what is left,
// and a repeat takes it away.
func TestCancelWithdrawFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		fault redistest.Fault
		left  asynq.TaskState
	}{
		{"look at the task", redistest.Script("asynq:"), redistest.NotApplied, asynq.TaskStateScheduled},
		{"remove the task", removes, redistest.NotApplied, asynq.TaskStateScheduled},
		{"remove the task", removes, redistest.ReplyLost, 0},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			scheduled(t, b)
			b.breaker.Break(row.fault, row.match)
			rec, err := b.Cancel(t.Context(), "o1", "changed my mind")
			if err != nil || rec.Status != order.StatusCancelled || b.record(t).Status != order.StatusCancelled {
				t.Errorf("answered %s, %v", rec.Status, err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if log := b.logged.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "order_id=o1") {
				t.Errorf("logged %q", log)
			}
			if state := b.stateOf("o1"); state != row.left {
				t.Errorf("the task is %v, want %v", state, row.left)
			}
			b.logged.Reset()
			if _, err := b.Cancel(t.Context(), "o1", ""); err != nil || b.logged.Len() > 0 {
				t.Errorf("the repeat answered %v, logged %q", err, b.logged)
			}
			if state := b.stateOf("o1"); state != 0 {
				t.Errorf("after the repeat the task is %v", state)
			}
		})
	}
}

// removes matches the script by which Asynq deletes a task.
func removes(c redis.Cmder) bool {
	if !redistest.Script("asynq:")(c) {
		return false
	}
	key, _ := c.Args()[4].(string)
	return strings.HasSuffix(key, ":groups")
}

// answering is a ledger that answers Cancel and Retry with an error.
type answering struct {
	intake.Ledger
	err error
}

func (a answering) Cancel(context.Context, string, string) (order.Record, error) {
	return order.Record{}, a.err
}

func (a answering) Retry(context.Context, string, string) (order.Record, error) {
	return order.Record{}, a.err
}

// TestCancelPassesErrors holds that intake adds nothing to what the ledger says,
// and touches no task then: tasks refuses to withdraw.
func TestCancelPassesErrors(t *testing.T) {
	t.Parallel()
	for _, want := range []error{
		order.ErrUnavailable, order.ErrNotFound, &order.StatusError{Status: order.StatusFailed}, errors.New("odd"),
	} {
		in := intake.New(answering{err: want}, &tasks{}, shop, nil, slog.New(slog.DiscardHandler))
		if rec, err := in.Cancel(t.Context(), "o1", ""); !errors.Is(err, want) || !cmp.Equal(rec, order.Record{}) {
			t.Errorf("answered %+v, %v, want %v", rec, err, want)
		}
	}
}
