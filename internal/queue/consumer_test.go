package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
)

// TestVerdicts checks what becomes of a task after each verdict: its state, what
// Asynqmon shows, whether Asynq counts a failure, and when it is due.
func TestVerdicts(t *testing.T) {
	const none = asynq.TaskState(0)
	shop := errors.New("shop answered 500")
	retry := &order.RetryError{After: time.Hour, Err: shop}
	refused := &order.PermanentError{Err: errors.New("shop answered 422")}
	rows := map[string]struct {
		taskType string // "order" if empty
		verdict  error
		state    asynq.TaskState
		shown    string // end of the text
		retried  int
		due      time.Duration
	}{
		"done":              {state: none},
		"retry":             {verdict: retry, state: asynq.TaskStateRetry, shown: shop.Error(), retried: 1, due: time.Hour},
		"retry-wrapped":     {verdict: fmt.Errorf("work: %w", retry), state: asynq.TaskStateRetry, shown: "work: " + shop.Error(), retried: 1, due: time.Hour},
		"redis-away":        {verdict: fmt.Errorf("begin: %w", order.ErrUnavailable), state: asynq.TaskStateRetry, shown: order.ErrUnavailable.Error(), due: 2 * time.Hour},
		"no-verdict":        {verdict: errors.New("odd"), state: asynq.TaskStateRetry, shown: "odd", due: 30 * time.Second},
		"panic":             {state: asynq.TaskStateRetry, shown: ": boom", due: 30 * time.Second},
		"permanent":         {verdict: refused, state: asynq.TaskStateArchived, shown: "shop answered 422"},
		"permanent-wrapped": {verdict: fmt.Errorf("work: %w", refused), state: asynq.TaskStateArchived, shown: "work: shop answered 422"},
		"no-record":         {verdict: fmt.Errorf("begin: %w", order.ErrNotFound), state: asynq.TaskStateArchived, shown: order.ErrNotFound.Error()},
		"other-type":        {taskType: "email\nsend", state: asynq.TaskStateArchived, shown: `task of type "email send" is no order`},
		"similar-type":      {taskType: "order:cancel", state: asynq.TaskStateArchived, shown: `task of type "order:cancel" is no order`},
	}
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		cfg.Concurrency = len(rows)
		cfg.Backoff = queue.Backoff{Base: 2 * time.Hour, Max: 2 * time.Hour}
		var delivered queuetest.Collector
		b.consume(t, cfg, func(ctx context.Context, id string) error {
			_ = delivered.Work(ctx, id)
			if id == "panic" {
				panic("boom")
			}
			return rows[id].verdict
		})
		var orders []string
		for id, row := range rows {
			if row.taskType == "" {
				orders = append(orders, id)
				b.enqueue(t, order.QueueLow, id)
				continue
			}
			_, err := b.Client.Enqueue(asynq.NewTask(row.taskType, nil), asynq.TaskID(id), asynq.Queue("low"))
			queuetest.Must(t, err)
		}
		delivered.Wait(t, orders)
		for id, row := range rows {
			if row.state == none {
				programtest.Until(t, "task "+id+" is gone", func() bool { return b.Task(order.QueueLow, id) == nil })
				continue
			}
			info := b.reaches(t, order.QueueLow, id, row.state)
			if !strings.HasSuffix(info.LastErr, row.shown) || info.Retried != row.retried {
				t.Errorf("%s is shown as %q after %d failures, want %q after %d", id, info.LastErr, info.Retried, row.shown, row.retried)
			}
			if row.state == asynq.TaskStateArchived && info.LastErr != row.shown && id != "no-record" {
				t.Errorf("%s is archived with %q, want %q alone", id, info.LastErr, row.shown)
			}
			least, due := row.due/2-20*time.Second, time.Until(info.NextProcessAt) // half of a back-off is jitter
			if row.verdict == nil || !errors.Is(row.verdict, order.ErrUnavailable) {
				least = row.due - 20*time.Second
			}
			if row.due > 0 && (due < least || due > row.due+time.Second) {
				t.Errorf("%s is due in %v, want about %v", id, due, row.due)
			}
		}
		delivered.Wait(t, orders) // each once
	})
}

// TestDeliveredOnce checks that all orders of all queues are delivered once each by
// several servers and acknowledged, and count for their own queue.
func TestDeliveredOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		var want []string
		for n, q := range order.Queues() {
			want = append(want, b.fill(t, q, 50+n)...)
		}
		cfg.Concurrency, cfg.Servers, cfg.ReservedCritical = 12, 4, 2
		var c queuetest.Collector
		b.consume(t, cfg, c.Work)
		c.Wait(t, want)
		for n, q := range order.Queues() {
			programtest.Until(t, "the orders of queue "+string(q)+" are acknowledged", func() bool {
				processed, _ := b.RDB.Get(context.Background(), "asynq:{"+string(q)+"}:processed").Int()
				return processed == 50+n && b.active(q)+len(b.Pending(q)) == 0
			})
		}
		c.Wait(t, want)
	})
}

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
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
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
// to 3 to 1.
func TestWeights(t *testing.T) {
	bothWays(t, func(t *testing.T, b *bundle, cfg queue.ConsumerConfig) {
		for _, q := range order.Queues() {
			b.fill(t, q, 600)
		}
		cfg.Concurrency, cfg.Servers = 40, 2 // so many slots make fetches rare
		var c queuetest.Collector
		b.consume(t, cfg, c.Work)
		programtest.Until(t, "600 orders are delivered", func() bool { return len(c.IDs()) >= 600 })
		shares := map[order.Queue]int{}
		for _, id := range c.IDs()[:600] {
			name, _, _ := strings.Cut(id, "-")
			shares[order.Queue(name)]++
		}
		for q, want := range map[order.Queue][2]int{
			order.QueueCritical: {270, 450}, order.QueueDefault: {100, 260}, order.QueueLow: {20, 120},
		} {
			if n := shares[q]; n < want[0] || n > want[1] {
				t.Errorf("of 600 orders %d came from queue %s, want %d to %d: %v", n, q, want[0], want[1], shares)
			}
		}
	})
}

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
		begun, release := make(chan string, 10), make(chan struct{})
		c, err := queue.NewConsumer(b.Broken, cfg, handler(func(_ context.Context, id string) error {
			begun <- id
			if id == "slow" {
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
		programtest.Until(t, "the slow order is worked", func() bool { return b.active(order.QueueDefault) > 0 && len(begun) > 0 })
		c.Hold(true)
		c.Hold(true) // as the check of the clock does, again and again
		close(release)
		programtest.Until(t, "the slow order is finished", func() bool { return b.Task(order.QueueDefault, "slow") == nil })
		for len(begun) > 0 {
			<-begun
		}
		b.enqueue(t, order.QueueDefault, "o2")
		queuetest.Never(t, "an order was begun", func() bool { return len(begun) > 0 })
		c.Hold(false)
		programtest.Until(t, "the order is begun", func() bool { return len(begun) > 0 })
		c.Hold(true)
		cancel()
		queuetest.Receive(t, "Run returns", ended)
	})
}

// TestUnknownAsynq checks that a program that is linked with another version of Asynq
// warns, works orders on plain servers, and writes none of Asynq's keys.
func TestUnknownAsynq(t *testing.T) {
	b := open(t)
	var log bytes.Buffer
	cfg := config()
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	var delivered queuetest.Collector
	c, err := queue.NewConsumerWithUnknownAsynq(b.RDB, cfg, handler(delivered.Work))
	queuetest.Must(t, err)
	rdb, scripts := b.Server.Client(), &traffic{}
	rdb.AddHook(scripts)
	producer := queue.NewProducerWithUnknownAsynq(rdb, queue.ProducerConfig{AttemptTimeout: attemptTimeout, Log: cfg.Log})
	if n := strings.Count(log.String(), `level=WARN msg="this version of Asynq is not known: `); n != 2 {
		t.Errorf("logged %q", log.String())
	}
	records := batch(12, time.Now().Truncate(time.Second).Add(time.Hour))
	queuetest.Must(t, producer.EnqueueAll(t.Context(), handovers(t, records)))
	if scripts.single < len(records) || slices.ContainsFunc(scripts.pipelines, func(n int) bool { return n >= len(records) }) {
		t.Errorf("12 orders were sent in pipelines of %v and %d more commands", scripts.pipelines, scripts.single)
	}
	b.checkTasks(t, records)
	b.RDB.ZAdd(t.Context(), "asynq:servers", forgotten)
	cancel, ended := run(t, c)
	defer func() { cancel(); <-ended }()
	delivered.Wait(t, []string{"o0", "o1", "o2", "o4", "o5", "o6", "o8", "o9", "o10"})
	if n := b.RDB.PubSubNumSub(t.Context(), "asynq:wake").Val()["asynq:wake"]; n != 0 {
		t.Errorf("%d prefetchers listen", n)
	}
	if b.RDB.ZScore(t.Context(), "asynq:servers", forgotten.Member.(string)).Err() != nil {
		t.Error("the list of servers was changed")
	}
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
