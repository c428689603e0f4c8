package queue_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestShutdown checks that a consumer that stops begins no order, lets a running
// handler finish undisturbed, acknowledges its order and leaves the others in turn.
func TestShutdown(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		ids := b.fill(t, order.QueueDefault, 20)
		cfg.Concurrency, cfg.ReservedCritical = 10, 9 // room to prefetch
		working, release := make(chan context.Context, len(ids)), make(chan struct{})
		cancel, ended := b.start(t, cfg, func(ctx context.Context, _ string) error {
			working <- ctx
			<-release
			return nil
		})
		ctx := queuetest.Receive(t, "the first order is worked", working)
		cancel()
		queuetest.Never(t, "Run returned, or cut the handler short", func() bool { return closed(ended) || ctx.Err() != nil })
		close(release)
		queuetest.Receive(t, "Run returns", ended)
		if info := b.Task(order.QueueDefault, ids[0]); info != nil {
			t.Errorf("the worked order's task is %v", info.State)
		}
		if diff := cmp.Diff(ids[1:], b.Pending(order.QueueDefault)); diff != "" || len(working) > 0 {
			t.Errorf("%d more were worked, pending (-want +got):\n%s", len(working), diff)
		}
		if n := b.active(order.QueueDefault) + int(b.RDB.ZCard(t.Context(), "asynq:{default}:lease").Val()); n != 0 {
			t.Errorf("%d active tasks and leases are left", n)
		}
	})
}

// TestShutdownTimeout checks that an order whose handler does not finish in time is
// requeued with nothing counted against it, and that its handler is cancelled.
func TestShutdownTimeout(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		b.enqueue(t, order.QueueDefault, "o1")
		timeout := cfg
		timeout.ShutdownTimeout = 50 * time.Millisecond
		working, cancelled := make(chan struct{}), make(chan struct{})
		cancel, ended := b.start(t, timeout, func(ctx context.Context, _ string) error {
			close(working)
			<-ctx.Done()
			close(cancelled)
			return ctx.Err()
		})
		queuetest.Receive(t, "the order is worked", working)
		cancel()
		queuetest.Receive(t, "Run returns", ended)
		queuetest.Receive(t, "the handler is cancelled", cancelled)
		info := b.Task(order.QueueDefault, "o1")
		if info == nil || info.State != asynq.TaskStatePending || info.Retried != 0 || info.LastErr != "" {
			t.Fatalf("the order's task is %+v", info)
		}
		var c queuetest.Collector
		b.consume(t, cfg, c.Work)
		c.Wait(t, []string{"o1"})
	})
}

// TestHold checks that a held consumer begins no order, moves on none that is due and none
// whose lease expired, finishes those it works, and goes on afterwards; any number of
// times.
func TestHold(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		begun, working, release := make(chan string, 100), make(chan struct{}), make(chan struct{})
		c, err := queue.NewConsumer(b.Broken, cfg, handler(func(_ context.Context, id string) error {
			begun <- id
			if id == "slow" {
				close(working)
				<-release
			}
			return nil
		}))
		queuetest.Must(t, err)
		b.enqueue(t, order.QueueDefault, "o1", "expired")
		ctx := t.Context()
		b.RDB.LRem(ctx, "asynq:{default}:pending", 0, "expired")
		b.RDB.LPush(ctx, "asynq:{default}:active", "expired")
		b.RDB.HSet(ctx, "asynq:{default}:t:expired", "state", "active")
		b.RDB.ZIncrBy(ctx, "asynq:{default}:lease", float64(time.Now().Add(-time.Minute).Unix()), "expired")
		b.later(t, order.QueueDefault, "later")
		b.RDB.ZIncrBy(ctx, "asynq:{default}:scheduled", -7200, "later")
		c.Hold(true)
		cancel, ended := run(t, c)
		for range 4 { // due tasks are looked for twice a second
			queuetest.Never(t, "an order was begun", func() bool { return len(begun) > 0 })
		}
		for id, want := range map[string]asynq.TaskState{
			"o1": asynq.TaskStatePending, "expired": asynq.TaskStateActive, "later": asynq.TaskStateScheduled,
		} {
			if task := b.Task(order.QueueDefault, id); task == nil || task.State != want {
				t.Errorf("%s is %+v, want it %v", id, task, want)
			}
		}
		c.Hold(false)
		for range 2 { // one was due
			queuetest.Receive(t, "the order", begun)
		}
		b.enqueue(t, order.QueueDefault, "slow")
		queuetest.Receive(t, "the slow order is worked", working)
		c.Hold(true)
		c.Hold(true) // as the check of the clock does, again and again
		close(release)
		programtest.Until(t, "the slow order is finished", func() bool { return b.Task(order.QueueDefault, "slow") == nil })
		n := 1
		programtest.Until(t, "no order is begun any more", func() bool { // Hold does not wait for that
			for len(begun) > 0 {
				<-begun
			}
			n++
			b.enqueue(t, order.QueueDefault, fmt.Sprint("o", n))
			return !programtest.Poll(400*time.Millisecond, func() bool { return len(begun) > 0 })
		})
		c.Hold(false)
		programtest.Until(t, "the order is begun", func() bool { return len(begun) > 0 })
		c.Hold(true)
		cancel()
		queuetest.Receive(t, "Run returns", ended)
	})
}
