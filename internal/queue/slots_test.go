package queue_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestConcurrency checks that as many orders are worked at once as there are slots,
// however they are shared.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	for _, slots := range []struct {
		concurrency, servers, reserved int
		prefetch                       bool
	}{
		{1, 1, 0, true}, {5, 1, 2, true}, {7, 3, 2, true}, {8, 8, 0, true}, {6, 4, 1, true}, {7, 3, 2, false},
	} {
		t.Run(fmt.Sprintf("%+v", slots), func(t *testing.T) {
			b := open(t)
			for _, q := range order.Queues() {
				b.fill(t, q, 20)
			}
			cfg := config()
			cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = slots.concurrency, slots.servers, slots.reserved
			cfg.Prefetch = slots.prefetch
			var running, worked atomic.Int32
			release := make(chan struct{})
			b.consume(t, cfg, func(context.Context, string) error {
				if now := running.Add(1); now > int32(slots.concurrency) {
					t.Errorf("%d orders are worked at once", now)
				}
				<-release
				running.Add(-1)
				worked.Add(1)
				return nil
			})
			full := int32(slots.concurrency)
			programtest.Until(t, "all slots are taken", func() bool { return running.Load() == full })
			queuetest.Never(t, "more orders are worked than there are slots", func() bool { return running.Load() > full })
			close(release)
			programtest.Until(t, "all orders are worked", func() bool { return worked.Load() == 60 })
		})
	}
}

// TestReservedCritical checks that a critical order starts while all other slots are
// taken, and that no other order takes a reserved slot.
func TestReservedCritical(t *testing.T) {
	overBooks(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = 3, 2, 1
		b.enqueue(t, order.QueueLow, "l1", "l2", "l3")
		b.enqueue(t, order.QueueDefault, "d1", "d2", "d3")
		started, release := make(chan string, 10), make(chan struct{})
		b.consume(t, cfg, func(_ context.Context, id string) error {
			started <- id
			<-release
			return nil
		})
		t.Cleanup(func() { close(release) })
		for range 2 {
			queuetest.Receive(t, "the shared slots are taken", started)
		}
		queuetest.Never(t, "an ordinary order took the reserved slot", func() bool { return len(started) > 0 })
		b.enqueue(t, order.QueueCritical, "c1")
		if id := queuetest.Receive(t, "the critical order starts", started); id != "c1" {
			t.Errorf("started %s", id)
		}
	})
}

// TestWeights checks that full queues take turns about as often as their weights say, 6
// to 3 to 1. On a busy machine a single fetch of prefetching may have 150 orders, so only
// many orders show it; and while one queue is fetched from, the turn goes to another.
// Equal turns, 1,000 each, and strict priority are outside of the bounds.
func TestWeights(t *testing.T) {
	overBooks(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		const orders = 3000
		for _, q := range order.Queues() {
			b.fill(t, q, orders)
		}
		cfg.Concurrency, cfg.Servers = 40, 2 // so many slots make fetches rare
		var c queuetest.Collector
		b.consume(t, cfg, c.Work)
		programtest.Until(t, "orders are delivered", func() bool { return len(c.IDs()) >= orders })
		shares := map[order.Queue]int{}
		for _, id := range c.IDs()[:orders] {
			name, _, _ := strings.Cut(id, "-")
			shares[order.Queue(name)]++
		}
		for q, want := range map[order.Queue][2]int{
			order.QueueCritical: {1200, 2250}, order.QueueDefault: {500, 1300}, order.QueueLow: {100, 800},
		} {
			if n := shares[q]; n < want[0] || n > want[1] {
				t.Errorf("of %d orders %d came from queue %s, want %d to %d: %v", orders, n, q, want[0], want[1], shares)
			}
		}
	})
}

// TestConsumerChecksItsConfig checks that slots which cannot be shared are refused.
func TestConsumerChecksItsConfig(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*queue.ConsumerConfig){
		"no server":                func(c *queue.ConsumerConfig) { c.Servers = 0 },
		"fewer slots than servers": func(c *queue.ConsumerConfig) { c.Servers = 2 },
		"all slots reserved":       func(c *queue.ConsumerConfig) { c.ReservedCritical = 1 },
		"less than none":           func(c *queue.ConsumerConfig) { c.ReservedCritical = -1 },
		"a queue without weight":   func(c *queue.ConsumerConfig) { c.Weights = map[order.Queue]int{order.QueueLow: 1} },
	} {
		cfg := config()
		spoil(&cfg)
		if _, err := queue.NewConsumer(nil, cfg, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
