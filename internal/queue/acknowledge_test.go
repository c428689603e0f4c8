package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// acknowledgement matches the scripts by which the task of an active order
// moves on. Other scripts of Asynq run beside them, once a second and more.
func acknowledgement(cmd redis.Cmder) bool {
	if !redistest.Script("asynq:")(cmd) {
		return false
	}
	key, _ := cmd.Args()[3].(string)
	return strings.HasSuffix(key, ":active") || strings.HasSuffix(key, ":t:o1")
}

// TestLateAcknowledgement breaks each kind of acknowledgement once. Asynq
// repeats it five seconds later, so this test is slow and runs its rows at
// once. Without the hook no repeat would ever reach Redis, and the order would
// run again a minute later.
func TestLateAcknowledgement(t *testing.T) {
	t.Parallel()
	reason := errors.New("shop answered 500")
	type row struct {
		verdict error
		after   string // Asynq's word for where the task is, empty for nowhere
		fault   redistest.Fault
		b       *bundle
		handled atomic.Int32
	}
	var rows []*row
	for _, fault := range redistest.Faults() {
		rows = append(
			rows,
			&row{verdict: nil, after: "", fault: fault},
			&row{verdict: &order.RetryError{After: time.Hour, Err: reason}, after: "retry", fault: fault},
			&row{verdict: &order.PermanentError{Err: reason}, after: "archived", fault: fault},
		)
	}
	for _, r := range rows {
		r.b = newBundle(t)
		r.b.enqueue(t, order.QueueDefault, "o1")
		r.b.consume(t, config(), func(context.Context, string) error {
			if r.handled.Add(1) == 1 {
				r.b.breaker.Break(r.fault, acknowledgement)
			}
			return r.verdict
		})
	}
	for _, r := range rows {
		name := fmt.Sprintf("%v, %v", r.verdict, r.fault)
		eventually(t, "the task has moved on after "+name, func() bool {
			info := r.b.task(order.QueueDefault, "o1")
			moved := info == nil && r.after == "" || info != nil && info.State.String() == r.after
			return moved && r.b.breaker.Fired() == 1
		})
		if n := r.handled.Load(); n != 1 {
			t.Errorf("%s: handled %d times", name, n)
		}
	}
}

// TestOurCancelIsMeant holds that the hook leaves commands alone that are not
// Asynq's scripts.
func TestOurCancelIsMeant(t *testing.T) {
	b := open(t)
	b.consume(t, config(), func(context.Context, string) error { return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ours := redis.NewScript("return redis.call('SET', KEYS[1], 1)")
	if err := ours.Run(ctx, b.broken, []string{"orders:{b0}:x"}).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("our script answered %v", err)
	}
	if err := b.broken.Set(ctx, "asynq:x", 1, 0).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("a plain command answered %v", err)
	}
	if n := b.rdb.Exists(t.Context(), "orders:{b0}:x", "asynq:x").Val(); n != 0 {
		t.Errorf("%d cancelled writes were applied", n)
	}
}

// TestLateAcknowledgementOfAnOldDelivery loses the answer to a retry. When
// Asynq repeats it, the order is with a worker again, and must stay there.
func TestLateAcknowledgementOfAnOldDelivery(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1")
	var handled atomic.Int32
	second, release := make(chan struct{}), make(chan struct{})
	asked := &counter{match: func(cmd redis.Cmder) bool { return cmd.Name() == "zscore" }}
	b.broken.AddHook(asked)
	cfg := config()
	cfg.Concurrency = 2
	b.consume(t, cfg, func(context.Context, string) error {
		switch handled.Add(1) {
		case 1:
			b.breaker.Break(redistest.ReplyLost, acknowledgement)
			return &order.RetryError{After: 100 * time.Millisecond, Err: errors.New("busy")}
		case 2:
			close(second)
			<-release
		}
		return nil
	})
	receive(t, "the order is delivered again", second)
	eventually(t, "Asynq repeats its acknowledgement", func() bool { return asked.n.Load() > 0 })
	never(t, "the order was taken from its worker", func() bool {
		info := b.task(order.QueueDefault, "o1")
		return info == nil || info.State != asynq.TaskStateActive
	})
	close(release)
	eventually(t, "the task is gone", func() bool { return b.task(order.QueueDefault, "o1") == nil })
	if n := handled.Load(); n != 2 {
		t.Errorf("handled %d times, want twice", n)
	}
}

// counter is a hook that counts the commands which match, on their way in.
type counter struct {
	redistest.Breaker
	match func(redis.Cmder) bool
	n     atomic.Int32
}

// ProcessHook implements redis.Hook.
func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.match(cmd) {
			c.n.Add(1)
		}
		return next(ctx, cmd)
	}
}

// TestConsumerChecksItsConfig holds that slots which cannot be shared as asked
// are refused.
func TestConsumerChecksItsConfig(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*queue.ConsumerConfig){
		"no lane":                func(c *queue.ConsumerConfig) { c.Lanes = 0 },
		"fewer slots than lanes": func(c *queue.ConsumerConfig) { c.Lanes = 2 },
		"all slots reserved":     func(c *queue.ConsumerConfig) { c.ReservedCritical = 1 },
		"less than none":         func(c *queue.ConsumerConfig) { c.ReservedCritical = -1 },
		"a queue without weight": func(c *queue.ConsumerConfig) { c.Weights = map[order.Queue]int{order.QueueLow: 1} },
	} {
		cfg := config()
		spoil(&cfg)
		if _, err := queue.NewConsumer(nil, cfg, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
