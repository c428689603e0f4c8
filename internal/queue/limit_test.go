package queue_test

import (
	"context"
	"slices"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestLimit checks that a consumer takes as many orders as its limit lets it, the oldest
// first, that it says how many it did not take, and that it can be stopped at the limit.
func TestLimit(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		cfg.Concurrency = 4
		begun := make(chan string, 100)
		c, err := queue.NewConsumer(b.Broken, cfg, handler(func(_ context.Context, id string) error {
			begun <- id
			return nil
		}))
		queuetest.Must(t, err)
		ids := b.fill(t, order.QueueDefault, 12)
		if unused := c.Limit(0); unused != 0 {
			t.Errorf("%d orders of no limit were not taken", unused)
		}
		cancel, ended := run(t, c)
		var got []string
		take := func(n int) {
			t.Helper()
			for range n {
				got = append(got, queuetest.Receive(t, "an order", begun))
			}
			slices.Sort(got[len(got)-n:]) // they begin side by side
			queuetest.Never(t, "an order beyond the limit was begun", func() bool { return len(begun) > 0 })
		}
		take(0)
		c.Limit(1)
		take(1)
		c.Extend(1)
		take(1)
		c.Limit(3)
		take(3)
		if unused := c.Limit(1); unused != 0 {
			t.Errorf("%d orders were not taken, all were begun", unused)
		}
		take(1)
		if want := ids[:6]; cfg.Prefetch && !slices.Equal(got, want) { // plain servers have taken four before the limit
			t.Errorf("the orders %v were begun, want %v", got, want)
		}
		if cfg.Prefetch {
			programtest.Until(t, "the other orders are in their queue", func() bool { return b.active(order.QueueDefault) == 0 })
		}
		c.Limit(-1)
		take(6)
		programtest.Until(t, "the slots are free", func() bool { return c.Free() == 4 })
		c.Extend(1) // of no limit
		c.Limit(5)
		if unused := c.Limit(0); unused != 5 {
			t.Errorf("%d orders were not taken, want 5", unused)
		}
		b.enqueue(t, order.QueueLow, "last")
		queuetest.Never(t, "an order beyond the limit was begun", func() bool { return len(begun) > 0 })
		cancel()
		queuetest.Receive(t, "Run returns", ended)
	})
}
