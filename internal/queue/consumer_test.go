package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// TestAcknowledged holds that an order whose handler returns nil is off the
// queue, and has been delivered once.
func TestAcknowledged(t *testing.T) {
	b := open(t)
	var delivered atomic.Int32
	b.consume(t, config(), func(_ context.Context, id string) error {
		if id != "o1" {
			t.Errorf("delivered %q", id)
		}
		delivered.Add(1)
		return nil
	})
	b.enqueue(t, order.QueueCritical, "o1")
	eventually(t, "the task is gone", func() bool { return b.task(order.QueueCritical, "o1") == nil })
	if n := delivered.Load(); n != 1 {
		t.Errorf("delivered %d times", n)
	}
}

// TestComesBack holds, for each verdict that is not the last word, when the
// order comes back and whether that counts towards Asynq's own limit.
func TestComesBack(t *testing.T) {
	b := open(t)
	reason := errors.New("shop answered 500")
	rows := map[string]struct {
		verdict func() error
		after   time.Duration // at least
		retried int
	}{
		"asked-for-a-second-later": {
			func() error { return &order.RetryError{After: time.Second, Err: reason} }, time.Second, 1,
		},
		"asked-for-later-wrapped": {
			func() error {
				return fmt.Errorf("work: %w", &order.RetryError{After: 300 * time.Millisecond, Err: reason})
			},
			300 * time.Millisecond, 1,
		},
		"redis-away-is-no-fault": {func() error { return fmt.Errorf("begin: %w", order.ErrUnavailable) }, 0, 0},
	}
	type delivery struct {
		id      string
		at      time.Time
		retried int
	}
	deliveries := make(chan delivery, 4*len(rows))
	var delivered sync.Map
	cfg := config()
	cfg.Concurrency = len(rows)
	b.consume(t, cfg, func(ctx context.Context, id string) error {
		n, _ := asynq.GetRetryCount(ctx)
		deliveries <- delivery{id, time.Now(), n}
		if _, again := delivered.LoadOrStore(id, true); again {
			return nil
		}
		return rows[id].verdict()
	})
	for id := range rows {
		b.enqueue(t, order.QueueDefault, id)
	}
	first := map[string]delivery{}
	for range 2 * len(rows) {
		d := receive(t, "all orders are delivered twice", deliveries)
		before, again := first[d.id]
		if !again {
			first[d.id] = d
			continue
		}
		row := rows[d.id]
		if waited := d.at.Sub(before.at); waited < row.after {
			t.Errorf("%s: came back after %v, want at least %v", d.id, waited, row.after)
		}
		if before.retried != 0 || d.retried != row.retried {
			t.Errorf("%s: %d failures counted, then %d, want 0, then %d", d.id, before.retried, d.retried, row.retried)
		}
	}
	for id := range rows {
		eventually(t, id+" is off the queue", func() bool { return b.task(order.QueueDefault, id) == nil })
	}
}

// TestRetryIsShown holds that Asynqmon shows why an order waits for its next
// attempt.
func TestRetryIsShown(t *testing.T) {
	b := open(t)
	verdicts := map[string]error{
		"asked": &order.RetryError{After: time.Hour, Err: errors.New("shop answered 500")},
		"other": errors.New("settle order o1: it is odd"),
		"panic": nil,
	}
	cfg := config()
	cfg.Concurrency = len(verdicts)
	cfg.Backoff = queue.Backoff{Base: time.Hour, Max: time.Hour}
	b.consume(t, cfg, func(_ context.Context, id string) error {
		if id == "panic" {
			panic("boom")
		}
		return verdicts[id]
	})
	for id, verdict := range verdicts {
		b.enqueue(t, order.QueueLow, id)
		info := b.reaches(t, order.QueueLow, id, asynq.TaskStateRetry)
		if verdict != nil && info.LastErr != verdict.Error() || verdict == nil && !strings.HasSuffix(info.LastErr, ": boom") {
			t.Errorf("%s is shown as %q", id, info.LastErr)
		}
		after := map[string]time.Duration{"asked": time.Hour, "other": 30 * time.Second, "panic": 30 * time.Second}[id]
		if due := time.Until(info.NextProcessAt); due < after-20*time.Second || due > after+time.Second {
			t.Errorf("%s is due in %v, want about %v", id, due, after)
		}
	}
}

// TestArchived holds which tasks come never again, and that their reason alone
// is shown.
func TestArchived(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		taskType string
		verdict  error
		shown    string
		handled  int32
	}{
		{
			"permanent", "order", &order.PermanentError{Err: errors.New("shop answered 422")},
			"shop answered 422", 1,
		},
		{
			"permanent, wrapped", "order", fmt.Errorf("work: %w", &order.PermanentError{Err: errors.New("shop answered 422")}),
			"work: shop answered 422", 1,
		},
		{"foreign type", "email\nsend", nil, `task of type "email send" is no order`, 0},
		{"type that begins alike", "order:cancel", nil, `task of type "order:cancel" is no order`, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			var handled atomic.Int32
			b.consume(t, config(), func(context.Context, string) error {
				handled.Add(1)
				return row.verdict
			})
			_, err := b.client.Enqueue(asynq.NewTask(row.taskType, nil), asynq.TaskID("o1"), asynq.Queue("default"))
			if err != nil {
				t.Fatal(err)
			}
			info := b.reaches(t, order.QueueDefault, "o1", asynq.TaskStateArchived)
			if info.LastErr != row.shown || info.Retried != 0 {
				t.Errorf("archived with %q after %d retries, want %q", info.LastErr, info.Retried, row.shown)
			}
			if n := handled.Load(); n != row.handled {
				t.Errorf("handled %d times, want %d", n, row.handled)
			}
		})
	}
}

// TestConcurrency fills a consumer and wants as many orders worked at once as
// it has slots, however they are spread.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	for _, slots := range []struct{ concurrency, lanes, reserved int }{
		{1, 1, 0}, {5, 1, 2}, {7, 3, 2}, {8, 8, 0}, {6, 4, 1},
	} {
		t.Run(fmt.Sprintf("%d slots, %d lanes, %d reserved", slots.concurrency, slots.lanes, slots.reserved), func(t *testing.T) {
			b := open(t)
			for n := range 20 {
				for _, q := range order.Queues() {
					b.enqueue(t, q, fmt.Sprintf("%s-%d", q, n))
				}
			}
			cfg := config()
			cfg.Concurrency, cfg.Lanes, cfg.ReservedCritical = slots.concurrency, slots.lanes, slots.reserved
			var running, peak, worked atomic.Int32
			release := make(chan struct{})
			b.consume(t, cfg, func(context.Context, string) error {
				now := running.Add(1)
				defer running.Add(-1)
				for seen := peak.Load(); now > seen && !peak.CompareAndSwap(seen, now); seen = peak.Load() {
				}
				<-release
				worked.Add(1)
				return nil
			})
			full := int32(slots.concurrency)
			eventually(t, "all slots are taken", func() bool { return running.Load() == full })
			never(t, "more orders are worked than there are slots", func() bool { return running.Load() > full })
			close(release)
			eventually(t, "all orders are worked", func() bool { return worked.Load() == 60 })
			if n := peak.Load(); n != full {
				t.Errorf("%d orders were worked at once, want %d", n, full)
			}
		})
	}
}

// TestReservedCritical holds that a critical order starts while all other
// slots are blocked, and that no other order takes a reserved slot.
func TestReservedCritical(t *testing.T) {
	b := open(t)
	cfg := config()
	cfg.Concurrency, cfg.Lanes, cfg.ReservedCritical = 3, 2, 1
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
		receive(t, "the shared slots are taken", started)
	}
	never(t, "an ordinary order took the reserved slot", func() bool { return len(started) > 0 })
	b.enqueue(t, order.QueueCritical, "c1")
	if id := receive(t, "the critical order starts", started); id != "c1" {
		t.Errorf("started %s", id)
	}
}

// TestDrain holds that a consumer told to stop takes nothing new, lets a
// running handler finish undisturbed and acknowledges it.
func TestDrain(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1", "o2")
	working, release := make(chan context.Context, 2), make(chan struct{})
	cancel, ended := b.start(t, config(), func(ctx context.Context, _ string) error {
		working <- ctx
		<-release
		return nil
	})
	ctx := receive(t, "the first order is worked", working)
	cancel()
	never(t, "Run returned, or cut the handler short", func() bool {
		select {
		case <-ended:
			return true
		default:
			return ctx.Err() != nil
		}
	})
	close(release)
	receive(t, "Run returns", ended)
	if info := b.task(order.QueueDefault, "o1"); info != nil {
		t.Errorf("the worked order's task is %v", info.State)
	}
	if info := b.task(order.QueueDefault, "o2"); info == nil || info.State != asynq.TaskStatePending || len(working) > 0 {
		t.Errorf("the other order's task is %+v, %d more handled", info, len(working))
	}
}

// TestShutdownTimeout holds that an order whose handler does not finish in time
// is back in the queue at once, with nothing counted against it, and that its
// handler is told to end.
func TestShutdownTimeout(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1")
	cfg := config()
	cfg.ShutdownTimeout = 50 * time.Millisecond
	working, told := make(chan struct{}), make(chan struct{})
	cancel, ended := b.start(t, cfg, func(ctx context.Context, _ string) error {
		close(working)
		<-ctx.Done()
		close(told)
		return ctx.Err()
	})
	receive(t, "the order is worked", working)
	cancel()
	receive(t, "Run returns", ended)
	receive(t, "the handler is told", told)
	info := b.task(order.QueueDefault, "o1")
	if info == nil || info.State != asynq.TaskStatePending || info.Retried != 0 || info.LastErr != "" {
		t.Fatalf("the order's task is %+v", info)
	}

	again := make(chan string, 1)
	b.consume(t, config(), func(_ context.Context, id string) error { again <- id; return nil })
	if diff := cmp.Diff("o1", receive(t, "the next consumer gets it", again)); diff != "" {
		t.Error(diff)
	}
}
