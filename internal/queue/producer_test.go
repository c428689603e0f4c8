package queue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	oteltrace "go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// TestEnqueue checks that an order has one task, whatever state it is in.
func TestEnqueue(t *testing.T) {
	t.Parallel()
	const q = order.QueueDefault
	enqueued := func(t *testing.T, b *bundle) {
		t.Helper()
		b.enqueue(t, q, "o1")
	}
	rows := []struct {
		name   string
		before func(*testing.T, *bundle)
		added  bool
		after  asynq.TaskState
	}{
		{"new", func(*testing.T, *bundle) {}, true, asynq.TaskStatePending},
		{"again", enqueued, false, asynq.TaskStatePending},
		{"again while it is worked", func(t *testing.T, b *bundle) {
			t.Helper()
			enqueued(t, b)
			b.occupy(t)
		}, false, asynq.TaskStateActive},
		{"again while it waits for its retry", func(t *testing.T, b *bundle) {
			t.Helper()
			enqueued(t, b)
			b.consume(t, config(), retryLater)
			b.reaches(t, q, "o1", asynq.TaskStateRetry)
		}, false, asynq.TaskStateRetry},
		{"again while archived", func(t *testing.T, b *bundle) {
			t.Helper()
			enqueued(t, b)
			must(t, b.asynq.ArchiveTask(string(q), "o1"))
		}, true, asynq.TaskStatePending},
		{"while a task of its id waits for another time", func(t *testing.T, b *bundle) {
			t.Helper()
			b.later(t, q, "o1")
		}, true, asynq.TaskStatePending},
		{"again after it is done", func(t *testing.T, b *bundle) {
			t.Helper()
			enqueued(t, b)
			stop := b.consume(t, config(), func(context.Context, string) error { return nil })
			eventually(t, "the task is gone", func() bool { return b.task(q, "o1") == nil })
			stop()
		}, true, asynq.TaskStatePending},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			if added, err := b.Enqueue(t.Context(), record("o1", q)); err != nil || added != row.added {
				t.Errorf("added %t, %v, want %t", added, err, row.added)
			}
			info := b.task(q, "o1")
			if info == nil || info.State != row.after {
				t.Errorf("the task is %+v, want it %v", info, row.after)
			}
		})
	}
}

// TestEnqueueFaults breaks each write of Enqueue in both ways a network can,
// repeats it, and wants one task.
func TestEnqueueFaults(t *testing.T) {
	t.Parallel()
	none := func(*testing.T, *bundle) {}
	archived := func(t *testing.T, b *bundle) {
		t.Helper()
		b.enqueue(t, order.QueueLow, "o1")
		must(t, b.asynq.ArchiveTask(string(order.QueueLow), "o1"))
	}
	named := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	removes := func(c redis.Cmder) bool {
		return redistest.Script("asynq:")(c) && strings.HasSuffix(fmt.Sprint(c.Args()[4]), ":groups")
	}
	rows := []struct {
		name   string
		before func(*testing.T, *bundle)
		match  func(redis.Cmder) bool
		fault  redistest.Fault
		added  bool // by the repeat
	}{
		{"name the queue", none, named("sadd"), redistest.NotApplied, true},
		{"name the queue", none, named("sadd"), redistest.ReplyLost, true},
		{"add the task", none, redistest.Script("asynq:"), redistest.NotApplied, true},
		{"add the task", none, redistest.Script("asynq:"), redistest.ReplyLost, false},
		{"read the task that is there", archived, named("sismember"), redistest.NotApplied, true},
		{"remove the archived task", archived, removes, redistest.NotApplied, true},
		{"remove the archived task", archived, removes, redistest.ReplyLost, true},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			rec := record("o1", order.QueueLow)
			row.before(t, b)
			b.breaker.Break(row.fault, row.match)
			if added, err := b.Enqueue(t.Context(), rec); added || !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken enqueue answered %t, %v", added, err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			if added, err := b.Enqueue(t.Context(), rec); err != nil || added != row.added {
				t.Errorf("the repeat answered %t, %v, want %t", added, err, row.added)
			}
			tasks, err := b.asynq.ListPendingTasks(string(order.QueueLow))
			if err != nil || len(tasks) != 1 || tasks[0].ID != "o1" {
				t.Errorf("pending are %v, %v", tasks, err)
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
		info := b.task(q, rec.ID)
		if info == nil {
			t.Fatalf("no task %s in queue %s", rec.ID, q)
		}
		got := asynq.TaskInfo{
			ID: info.ID, Queue: info.Queue, Type: info.Type, State: info.State,
			MaxRetry: info.MaxRetry, Timeout: info.Timeout, Retention: info.Retention,
		}
		want := asynq.TaskInfo{
			ID: rec.ID, Queue: string(q), Type: "order", State: asynq.TaskStatePending,
			MaxRetry: 1000, Timeout: attemptTimeout + 15*time.Second,
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
			t.Errorf("payload %s says %q", text, personal)
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
		d := receive(t, "both orders are delivered", got)
		want := oteltrace.SpanContext{}
		if d.id == "traced" {
			want = sent.WithRemote(true)
		}
		if !d.span.Equal(want) {
			t.Errorf("order %s came with span %+v, want %+v", d.id, d.span, want)
		}
	}
}

// TestRedisAway checks that every call returns ErrUnavailable when Redis is away.
func TestRedisAway(t *testing.T) {
	b := open(t)
	i := queue.NewInspector(b.rdb)
	b.server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, ask := range map[string]func() error{
		"enqueue":  func() error { _, err := b.Enqueue(ctx, record("o1", order.QueueLow)); return err },
		"backlog":  func() error { _, err := i.Backlog(ctx); return err },
		"depths":   func() error { _, err := i.Depths(ctx); return err },
		"workers":  func() error { _, err := i.Workers(ctx); return err },
		"holds":    func() error { _, err := b.Holds(ctx, record("o1", order.QueueLow)); return err },
		"withdraw": func() error { return b.Withdraw(ctx, record("o1", order.QueueLow)) },
		"pause":    func() error { return i.Pause(ctx, order.QueueLow) },
		"resume":   func() error { return i.Resume(ctx, order.QueueLow) },
	} {
		if err := ask(); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("%s answered %v", name, err)
		}
	}
}
