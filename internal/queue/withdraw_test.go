package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestWithdraw checks that a task which waits for a time is removed, and that any other
// stays: the worker that gets it finds the order cancelled.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	const q, none = order.QueueDefault, asynq.TaskState(0)
	rows := []struct {
		name   string
		before func(*testing.T, *bundle)
		after  asynq.TaskState
	}{
		{"no task", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, q, "other")
		}, none},
		{"waits for its time", func(t *testing.T, b *bundle) {
			t.Helper()
			b.later(t, q, "o1")
		}, none},
		{"waits for its next attempt", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, q, "o1")
			b.consume(t, config(), retryLater)
			b.reaches(t, q, "o1", asynq.TaskStateRetry)
		}, none},
		{"waits for a worker", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, q, "o1")
		}, asynq.TaskStatePending},
		{"is with a worker", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, q, "o1")
			b.occupy(t)
		}, asynq.TaskStateActive},
		{"is archived", func(t *testing.T, b *bundle) {
			t.Helper()
			b.enqueue(t, q, "o1")
			must(t, b.asynq.ArchiveTask(string(q), "o1"))
		}, asynq.TaskStateArchived},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(t, b)
			b.later(t, q, "bystander")
			for range 2 {
				if err := b.Withdraw(t.Context(), record("o1", q)); err != nil {
					t.Error(err)
				}
				state := none
				if info := b.task(q, "o1"); info != nil {
					state = info.State
				}
				if state != row.after {
					t.Errorf("the task is %v, want %v", state, row.after)
				}
			}
			if b.task(q, "bystander") == nil {
				t.Error("another order's task is gone")
			}
		})
	}
}

// TestWithdrawFindsNone checks that nothing happens on a Redis where nobody has enqueued
// anything, and that a task of the same name in another queue stays.
func TestWithdrawFindsNone(t *testing.T) {
	b := open(t)
	rec := record("o1", order.QueueDefault)
	must(t, b.Withdraw(t.Context(), rec))
	if held, err := b.Holds(t.Context(), rec); err != nil || held {
		t.Errorf("the order has a task: %t, %v", held, err)
	}
	b.later(t, order.QueueLow, "o1")
	b.later(t, order.QueueDefault, "o2")
	must(t, b.Withdraw(t.Context(), rec))
	if b.task(order.QueueLow, "o1") == nil {
		t.Error("the task in the other queue is gone")
	}
}

// TestWithdrawFaults breaks each command of Withdraw, the write in both ways a
// network can, repeats it, and wants the task gone.
func TestWithdrawFaults(t *testing.T) {
	t.Parallel()
	knows := func(c redis.Cmder) bool { return c.Name() == "sismember" }
	removes := func(c redis.Cmder) bool {
		return redistest.Script("asynq:")(c) && strings.HasSuffix(fmt.Sprint(c.Args()[4]), ":groups")
	}
	rows := []struct {
		name  string
		match func(redis.Cmder) bool
		nth   int // of those that match
		fault redistest.Fault
	}{
		{"ask for the queue", knows, 1, redistest.NotApplied},
		{"read the task", redistest.Script("asynq:"), 1, redistest.NotApplied},
		{"ask for the queue again", knows, 2, redistest.NotApplied},
		{"remove the task", removes, 1, redistest.NotApplied},
		{"remove the task", removes, 1, redistest.ReplyLost},
	}
	for _, row := range rows {
		t.Run(row.name+"/"+row.fault.String(), func(t *testing.T) {
			b := open(t)
			b.later(t, order.QueueLow, "o1")
			rec := record("o1", order.QueueLow)
			seen := 0
			b.breaker.Break(row.fault, func(c redis.Cmder) bool {
				if !row.match(c) {
					return false
				}
				seen++
				return seen >= row.nth
			})
			if err := b.Withdraw(t.Context(), rec); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("the broken withdrawal answered %v", err)
			}
			if b.breaker.Fired() != 1 {
				t.Fatalf("%d commands were broken", b.breaker.Fired())
			}
			applied := row.fault == redistest.ReplyLost
			if gone := b.task(order.QueueLow, "o1") == nil; gone != applied {
				t.Errorf("after the fault the task is gone: %t", gone)
			}
			if err := b.Withdraw(t.Context(), rec); err != nil {
				t.Errorf("the repeat answered %v", err)
			}
			if info := b.task(order.QueueLow, "o1"); info != nil {
				t.Errorf("the task is %v", info.State)
			}
		})
	}
}
