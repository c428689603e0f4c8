package recovery_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
)

// empty is a ledger and a queue without orders. It counts the repairs.
type empty struct {
	recovery.Ledger
	recovery.Queue
	recovery.Tasks
	orphans, tasks, forgets atomic.Int32
	follows                 atomic.Bool // another process leads
	fails                   atomic.Bool
	idle                    atomic.Bool // there is nothing to do
}

func (e *empty) Lead(context.Context, string, time.Duration, time.Duration) (order.Duty, error) {
	busy := !e.idle.Load()
	return order.Duty{Leads: !e.follows.Load(), At: time.Now(), HoldExpired: busy, RetentionOver: busy, Unsettled: busy}, nil
}

func (e *empty) Count(context.Context) (recovery.Counts, error) {
	if e.idle.Load() {
		return recovery.Counts{}, nil
	}
	return recovery.Counts{Active: 1}, nil
}

func (e *empty) Orphans(context.Context, time.Time) ([]recovery.Orphan, error) {
	e.orphans.Add(1)
	if e.fails.Load() {
		return nil, order.ErrUnavailable
	}
	return nil, nil
}

func (e *empty) Balance(context.Context) (int64, int, error) {
	e.tasks.Add(1)
	return 0, 0, nil
}

func (e *empty) Forget(context.Context, time.Time, int) (int, error) {
	e.forgets.Add(1)
	return 0, nil
}

func (*empty) Expired(context.Context, time.Time, int, int) ([]string, error) { return nil, nil }

func (*empty) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (*empty) Quarantined(context.Context) (string, error) { return "", nil }

func (*empty) ForgetEvents(context.Context, time.Time) error { return nil }

func (*empty) Delayed(context.Context) ([]recovery.DelayedTask, bool, error) { return nil, true, nil }

func (*empty) Waiting(context.Context, order.Status, time.Time, time.Time, int) (
	records []order.Record, next time.Time, err error,
) {
	return nil, time.Time{}, nil
}

// run starts Run and returns what stops it.
func run(t *testing.T, e *empty, tasks recovery.Tasks, log *strings.Builder) (stop func()) {
	t.Helper()
	cfg := recovery.Config{Name: "w1", Retention: retention, Log: slog.New(slog.NewTextHandler(log, nil))}
	r := recovery.New(cfg, e, e, tasks)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		queuetest.Must(t, <-ended)
	}
}

// TestRun checks that a leader requeues orphans and forgets every second, and repairs
// tasks every ten seconds, until the context ends; that a follower does nothing; and that
// a failure is tried again and logged at most every ten seconds.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		e := &empty{}
		stop := run(t, e, e, &log)
		after := func(d time.Duration, orphans, tasks int32) {
			t.Helper()
			e.orphans.Store(0)
			e.forgets.Store(0)
			e.tasks.Store(0)
			time.Sleep(d) // fake time
			synctest.Wait()
			if n := e.orphans.Load(); n != orphans {
				t.Errorf("orphans were requeued %d times, want %d", n, orphans)
			}
			if n := e.forgets.Load(); orphans > 0 && n < orphans-1 || n > orphans {
				t.Errorf("settled orders were forgotten %d times, want %d", n, orphans)
			}
			if n := e.tasks.Load(); n != tasks && (tasks == 0 || n != tasks+1) {
				t.Errorf("tasks were repaired %d times, want %d", n, tasks)
			}
		}
		time.Sleep(500 * time.Millisecond) // the first repairs may come before it leads
		after(20*time.Second, 20, 2)
		e.follows.Store(true)
		time.Sleep(time.Second) // one more may come before it asks to lead
		after(30*time.Second, 0, 0)
		e.follows.Store(false)
		e.idle.Store(true)
		time.Sleep(time.Second)
		after(30*time.Second, 0, 3) // indexes are compared all the same
		e.idle.Store(false)
		e.fails.Store(true)
		time.Sleep(time.Second)
		after(25*time.Second, 25, 2)
		if n := strings.Count(log.String(), "level=WARN"); n != 3 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
		stop()
	})
}

// TestRunEndsDuringRepair checks that Run ends with its context in the middle of a
// repair, without an error or a warning.
func TestRunEndsDuringRepair(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e := &empty{}
	h := hanging{empty: e, asked: make(chan struct{})}
	stop := run(t, e, h, &log)
	<-h.asked
	stop()
	if log.Len() > 0 {
		t.Errorf("logged %q", log.String())
	}
}

// hanging answers when the caller's context has ended.
type hanging struct {
	*empty
	asked chan struct{}
}

func (h hanging) Orphans(ctx context.Context, _ time.Time) ([]recovery.Orphan, error) {
	close(h.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}
