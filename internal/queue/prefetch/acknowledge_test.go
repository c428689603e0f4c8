package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/prefetch"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// isAck matches the scripts that end the delivery of o1. Other scripts of Asynq run at the
// same time.
func isAck(cmd redis.Cmder) bool {
	if !redistest.Script("asynq:")(cmd) || isFetch(cmd) {
		return false
	}
	key, _ := cmd.Args()[3].(string)
	return strings.HasSuffix(key, ":active") || strings.HasSuffix(key, ":t:o1")
}

// TestLateAcknowledgement breaks each kind of acknowledgement once. Asynq repeats it five
// seconds later, so this test is slow and runs its rows at once. Without a fresh context no
// repeat would reach Redis, and the order would be delivered again a minute later.
func TestLateAcknowledgement(t *testing.T) {
	t.Parallel()
	type row struct {
		verdict error
		after   string // Asynq's word for the state of the task, empty for none
		fault   redistest.Fault
		b       *bundle
		handled atomic.Int32
	}
	var rows []*row
	for _, fault := range redistest.Faults() {
		rows = append(
			rows,
			&row{verdict: nil, after: "", fault: fault},
			&row{verdict: errors.New("shop answered 500"), after: "retry", fault: fault},
			&row{verdict: fmt.Errorf("shop answered 422: %w", asynq.SkipRetry), after: "archived", fault: fault},
		)
	}
	for _, r := range rows {
		r.b = newBundle(t)
		r.b.enqueue(t, order.QueueDefault, "o1")
		r.b.work(t, r.b.Broken, workerConfig{servers: 1, slots: 1, retryAfter: time.Hour}, func(context.Context, string) error {
			if r.handled.Add(1) == 1 {
				r.b.Breaker.Break(r.fault, isAck)
			}
			return r.verdict
		})
	}
	for _, r := range rows {
		name := fmt.Sprintf("%v, %v", r.verdict, r.fault)
		programtest.Until(t, "the task has moved on after "+name, func() bool {
			info := r.b.Task(order.QueueDefault, "o1")
			moved := info == nil && r.after == "" || info != nil && info.State.String() == r.after
			return moved && r.b.Breaker.Fired() == 1
		})
		if n := r.handled.Load(); n != 1 {
			t.Errorf("%s: handled %d times", name, n)
		}
	}
}

// TestLateAcknowledgementOfAnOldDelivery loses the answer to a retry. When Asynq repeats
// it, the order is with a worker again, and must stay there.
func TestLateAcknowledgementOfAnOldDelivery(t *testing.T) {
	b := open(t)
	b.enqueue(t, order.QueueDefault, "o1")
	var handled atomic.Int32
	second, release := make(chan struct{}), make(chan struct{})
	checked := countAnswered(b.Broken, func(cmd redis.Cmder) bool { return cmd.Name() == "zscore" })
	b.work(t, b.Broken, workerConfig{servers: 1, slots: 2}, func(context.Context, string) error {
		switch handled.Add(1) {
		case 1:
			b.Breaker.Break(redistest.ReplyLost, isAck)
			return errors.New("busy")
		case 2:
			close(second)
			<-release
		}
		return nil
	})
	queuetest.Receive(t, "the order is delivered again", second)
	programtest.Until(t, "Asynq repeats its acknowledgement", func() bool { return checked.Load() > 0 })
	queuetest.Never(t, "the order was taken from its worker", func() bool {
		info := b.Task(order.QueueDefault, "o1")
		return info == nil || info.State != asynq.TaskStateActive
	})
	close(release)
	programtest.Until(t, "the task is gone", func() bool { return b.Task(order.QueueDefault, "o1") == nil })
	if n := handled.Load(); n != 2 {
		t.Errorf("handled %d times, want twice", n)
	}
}

// TestAcknowledgeFaults breaks the script that acknowledges, in both ways a network can:
// the caller gets the error, and the repeat answers what Asynq's own script would.
func TestAcknowledgeFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			b := open(t)
			b.activate(t, "o1")
			client := b.prefetcher().Client(order.QueueDefault)
			keys, args := doneCall("o1", time.Now().Add(time.Hour))
			b.Breaker.Break(fault, redistest.Script(keyActive))
			if err := client.EvalSha(t.Context(), prefetch.DoneSHA, keys, args...).Err(); !errors.Is(err, redistest.ErrBroken) {
				t.Errorf("the broken script answered %v", err)
			}
			err := client.EvalSha(t.Context(), prefetch.DoneSHA, keys, args...).Err()
			if applied := fault == redistest.ReplyLost; applied != (err != nil && strings.Contains(err.Error(), "NOT FOUND")) {
				t.Errorf("the repeat answered %v", err)
			}
			if n := b.RDB.Get(t.Context(), keyPrefix+"processed").Val(); n != "1" || b.Task(order.QueueDefault, "o1") != nil {
				t.Errorf("%s tasks are counted, the task is %+v", n, b.Task(order.QueueDefault, "o1"))
			}
		})
	}
}

// TestOtherScripts checks that a server's client passes on a script that it does not know,
// also while it is held, with a context that has ended and with the keys of any script
// that it knows.
func TestOtherScripts(t *testing.T) {
	t.Parallel()
	done, _ := doneCall("o1", time.Now())
	rows := map[string][]string{
		"dequeue":      {keyPending, keyPaused, keyActive, keyLease},
		"done":         done,
		"none of ours": {keyPrefix + "x", keyPrefix + "y"},
	}
	for name, keys := range rows {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			b.enqueue(t, order.QueueDefault, "o1")
			sha, err := b.RDB.ScriptLoad(t.Context(), "return {KEYS[1], ARGV[1], redis.call('INCR', 'ran')}").Result()
			queuetest.Must(t, err)
			p := b.prefetcher()
			client := p.Client(order.QueueDefault, order.QueueLow)
			for n := range 2 {
				p.Hold(n == 1)
				want := []any{keys[0], "o1", int64(n + 1)}
				got, err := client.EvalSha(t.Context(), sha, keys, "o1").Slice()
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v, answered (-want +got):\n%s", err, diff)
				}
			}
			queuetest.CheckSame(t, "pending", []string{"o1"}, b.Pending(order.QueueDefault))
		})
	}
}

// TestCancelledCommands checks that the fresh context of a late acknowledgement is given to
// no other command: neither to a script without a lease, nor to a plain command.
func TestCancelledCommands(t *testing.T) {
	b := open(t)
	client := b.prefetcher().Client(order.Queues()...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	script := redis.NewScript("return redis.call('SET', KEYS[1], 1)")
	if err := script.Run(ctx, client, []string{"x", "y"}, "o1").Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("a script answered %v", err)
	}
	if err := client.Set(ctx, "x", 1, 0).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("a plain command answered %v", err)
	}
	if n := b.RDB.Exists(t.Context(), "x").Val(); n != 0 {
		t.Error("a cancelled write was applied")
	}
}

// TestHeld checks that a server's client answers the scripts that go by the clock with
// nothing: those that make due tasks pending always, and the one that lists tasks whose lease
// has expired while it is held.
func TestHeld(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		keys       []string
		held, free any
	}{
		"forward scheduled": {[]string{keyPrefix + "scheduled", keyPending}, int64(0), int64(0)},
		"forward retry":     {[]string{keyPrefix + "retry", keyPending}, int64(0), int64(0)},
		"list expired":      {[]string{keyLease}, []any{}, "asked"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			sha, err := b.RDB.ScriptLoad(t.Context(), "return 'asked'").Result()
			queuetest.Must(t, err)
			p := b.prefetcher()
			for held, want := range map[bool]any{true: row.held, false: row.free} {
				p.Hold(held)
				got, err := p.Client(order.QueueDefault).EvalSha(t.Context(), sha, row.keys).Result()
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("held %t: %v (-want +got):\n%s", held, err, diff)
				}
			}
		})
	}
}
