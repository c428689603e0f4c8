package queue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	oteltrace "go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// TestTaskStates checks what Holds, Enqueue and Withdraw do with the task that an order has:
// it has one task, that of another time is replaced, one that waits for a time is withdrawn,
// and no other: the worker that gets it finds the order cancelled.
func TestTaskStates(t *testing.T) {
	t.Parallel()
	const (
		q         = order.QueueDefault
		none      = asynq.TaskState(0)
		pending   = asynq.TaskStatePending
		active    = asynq.TaskStateActive
		scheduled = asynq.TaskStateScheduled
		retry     = asynq.TaskStateRetry
		archived  = asynq.TaskStateArchived
	)
	enqueued := func(t *testing.T, b *bundle) { b.enqueue(t, q, "o1") }
	rows := []struct {
		name      string
		before    func(*testing.T, *bundle)
		held      bool
		added     bool
		enqueued  asynq.TaskState // after Enqueue
		withdrawn asynq.TaskState // after Withdraw
	}{
		{"none on a fresh Redis", func(*testing.T, *bundle) {}, false, true, pending, none},
		{"another queue has one of its id", func(t *testing.T, b *bundle) { b.later(t, order.QueueLow, "o1") }, false, true, pending, none},
		{"pending", enqueued, true, false, pending, pending},
		{"active", func(t *testing.T, b *bundle) { enqueued(t, b); b.occupy(t) }, true, false, active, active},
		{"waits for its retry", func(t *testing.T, b *bundle) {
			enqueued(t, b)
			b.consume(t, config(), retryLater)
			b.reaches(t, q, "o1", retry)
		}, true, false, retry, none},
		{"archived", func(t *testing.T, b *bundle) {
			enqueued(t, b)
			queuetest.Must(t, b.Asynq.ArchiveTask(string(q), "o1"))
		}, false, true, pending, archived},
		{"waits for another time", func(t *testing.T, b *bundle) { b.later(t, q, "o1") }, false, true, pending, none},
		{"done", func(t *testing.T, b *bundle) {
			enqueued(t, b)
			stop := b.consume(t, config(), func(context.Context, string) error { return nil })
			programtest.Until(t, "the task is gone", func() bool { return b.Task(q, "o1") == nil })
			stop()
		}, false, true, pending, none},
	}
	state := func(b *bundle) asynq.TaskState {
		if info := b.Task(q, "o1"); info != nil {
			return info.State
		}
		return none
	}
	rec := record("o1", q)
	for _, row := range rows {
		t.Run(row.name+"/enqueue", func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			if held, err := b.Holds(t.Context(), rec); err != nil || held != row.held {
				t.Errorf("held %t, %v, want %t", held, err, row.held)
			}
			if added, err := b.Enqueue(t.Context(), rec); err != nil || added != row.added {
				t.Errorf("added %t, %v, want %t", added, err, row.added)
			}
			if got := state(b); got != row.enqueued {
				t.Errorf("the task is %v, want %v", got, row.enqueued)
			}
		})
		t.Run(row.name+"/withdraw", func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			before := len(b.RDB.Keys(t.Context(), "asynq:{*}:t:*").Val())
			for range 2 {
				queuetest.Must(t, b.Withdraw(t.Context(), rec))
				if got := state(b); got != row.withdrawn {
					t.Errorf("the task is %v, want %v", got, row.withdrawn)
				}
			}
			withdrawn := row.withdrawn == none && strings.HasPrefix(row.name, "waits")
			if left := len(b.RDB.Keys(t.Context(), "asynq:{*}:t:*").Val()); left != before && !withdrawn {
				t.Errorf("%d of %d tasks are left", left, before)
			}
		})
	}
}

// TestProducerFaults breaks each command of Enqueue and Withdraw, the writes in both ways a
// network can, and repeats the call: the order has the task that it should.
func TestProducerFaults(t *testing.T) {
	t.Parallel()
	const none = asynq.TaskState(0)
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	enqueue := func(rec order.Record) func(*testing.T, *bundle) (bool, error) {
		return func(t *testing.T, b *bundle) (bool, error) { return b.Enqueue(t.Context(), rec) }
	}
	now, later := enqueue(record("o1", order.QueueLow)), enqueue(scheduled("o1", order.QueueLow, at))
	withdraw := func(t *testing.T, b *bundle) (bool, error) {
		return false, b.Withdraw(t.Context(), record("o1", order.QueueLow))
	}
	fresh := func(*testing.T, *bundle) {}
	archived := func(t *testing.T, b *bundle) {
		b.enqueue(t, order.QueueLow, "o1")
		queuetest.Must(t, b.Asynq.ArchiveTask("low", "o1"))
	}
	waits := func(t *testing.T, b *bundle) { b.later(t, order.QueueLow, "o1") }
	named := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	removes := queuetest.SecondKey(":groups")
	rows := []struct {
		name   string
		before func(*testing.T, *bundle)
		call   func(*testing.T, *bundle) (bool, error)
		match  func(redis.Cmder) bool
		nth    int // of those that match
		fault  redistest.Fault
		broken asynq.TaskState // after the broken call
		added  bool            // by the repeat
		after  asynq.TaskState
	}{
		{"name the queue", fresh, now, named("sadd"), 1, redistest.NotApplied, none, true, asynq.TaskStatePending},
		{"name the queue", fresh, now, named("sadd"), 1, redistest.ReplyLost, none, true, asynq.TaskStatePending},
		{"add the task", fresh, now, queuetest.SecondKey(":pending"), 1, redistest.NotApplied, none, true, asynq.TaskStatePending},
		{"add the task", fresh, now, queuetest.SecondKey(":pending"), 1, redistest.ReplyLost, asynq.TaskStatePending, false, asynq.TaskStatePending},
		{"add a task that waits", fresh, later, queuetest.SecondKey(":scheduled"), 1, redistest.NotApplied, none, true, asynq.TaskStateScheduled},
		{"add a task that waits", fresh, later, queuetest.SecondKey(":scheduled"), 1, redistest.ReplyLost, asynq.TaskStateScheduled, false, asynq.TaskStateScheduled},
		{"read the archived task", archived, now, named("sismember"), 1, redistest.NotApplied, asynq.TaskStateArchived, true, asynq.TaskStatePending},
		{"remove the archived task", archived, now, removes, 1, redistest.NotApplied, asynq.TaskStateArchived, true, asynq.TaskStatePending},
		{"remove the archived task", archived, now, removes, 1, redistest.ReplyLost, none, true, asynq.TaskStatePending},
		{"withdraw: ask for the queue", waits, withdraw, named("sismember"), 1, redistest.NotApplied, asynq.TaskStateScheduled, false, none},
		{"withdraw: read the task", waits, withdraw, redistest.Script("asynq:"), 1, redistest.NotApplied, asynq.TaskStateScheduled, false, none},
		{"withdraw: ask for the queue again", waits, withdraw, named("sismember"), 2, redistest.NotApplied, asynq.TaskStateScheduled, false, none},
		{"withdraw: remove the task", waits, withdraw, removes, 1, redistest.NotApplied, asynq.TaskStateScheduled, false, none},
		{"withdraw: remove the task", waits, withdraw, removes, 1, redistest.ReplyLost, none, false, none},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			check := func(when string, want asynq.TaskState) {
				t.Helper()
				if info := b.Task(order.QueueLow, "o1"); (info == nil) != (want == none) || info != nil && info.State != want {
					t.Errorf("after %s the task is %+v, want it %v", when, info, want)
				}
			}
			row.before(t, b)
			b.Breaker.BreakNth(row.nth, row.fault, row.match)
			if added, err := row.call(t, b); added || !errors.Is(err, order.ErrUnavailable) || b.Breaker.Fired() != 1 {
				t.Errorf("the broken call answered %t, %v, with %d commands broken", added, err, b.Breaker.Fired())
			}
			check("the broken call", row.broken)
			if added, err := row.call(t, b); err != nil || added != row.added {
				t.Errorf("the repeat answered %t, %v, want %t", added, err, row.added)
			}
			check("the repeat", row.after)
			if depths, err := queue.NewInspector(b.RDB, 1).Depths(t.Context()); err != nil || depths[order.QueueLow].Backlog() > 1 {
				t.Errorf("%+v, %v", depths, err)
			}
		})
	}
}

// TestTask checks what a task carries: its order, queue, retries and timeout, and nothing
// personal.
func TestTask(t *testing.T) {
	b := open(t)
	for _, q := range order.Queues() {
		rec := record("o-"+string(q), q)
		b.enqueue(t, q, rec.ID)
		info := b.Task(q, rec.ID)
		if info == nil {
			t.Fatalf("no task %s in queue %s", rec.ID, q)
		}
		got := asynq.TaskInfo{
			ID: info.ID, Queue: info.Queue, Type: info.Type, State: info.State,
			MaxRetry: info.MaxRetry, Timeout: info.Timeout, Retention: info.Retention,
		}
		want := asynq.TaskInfo{
			ID: rec.ID, Queue: string(q), Type: "order", State: asynq.TaskStatePending,
			MaxRetry: 1_000_000_000, Timeout: attemptTimeout + 15*time.Second,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("task in %s (-want +got):\n%s", q, diff)
		}
		checkPayload(t, info.Payload, rec)
	}
}

func checkPayload(t *testing.T, text []byte, rec order.Record) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var got queue.Payload
	if err := d.Decode(&got); err != nil {
		t.Fatalf("payload %s: %v", text, err)
	}
	want := queue.Payload{
		OrderID: rec.ID, Amount: rec.Amount, Items: len(rec.Items), Priority: rec.Priority, AcceptedAt: order.Timestamp{Time: rec.CreatedAt},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	for _, personal := range []string{"ada", "Main Street", "London", "ring", "tea"} {
		if strings.Contains(string(text), personal) {
			t.Errorf("payload %s contains %q", text, personal)
		}
	}
}

// TestTraceTravels checks that the trace of the request is the trace of the attempt.
func TestTraceTravels(t *testing.T) {
	b := open(t)
	sent := oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID{1, 2, 3}, SpanID: oteltrace.SpanID{4, 5, 6}, TraceFlags: oteltrace.FlagsSampled,
	})
	ctx := oteltrace.ContextWithSpanContext(t.Context(), sent)
	if _, err := b.Enqueue(ctx, record("traced", order.QueueDefault)); err != nil {
		t.Fatal(err)
	}
	b.enqueue(t, order.QueueDefault, "untraced")

	type delivery struct {
		id   string
		span oteltrace.SpanContext
	}
	got := make(chan delivery, 2)
	b.consume(t, config(), func(ctx context.Context, id string) error {
		got <- delivery{id, oteltrace.SpanContextFromContext(ctx)}
		return nil
	})
	for range 2 {
		d := queuetest.Receive(t, "both orders are delivered", got)
		want := oteltrace.SpanContext{}
		if d.id == "traced" {
			want = sent.WithRemote(true)
		}
		if !d.span.Equal(want) {
			t.Errorf("order %s came with span %+v, want %+v", d.id, d.span, want)
		}
	}
}
