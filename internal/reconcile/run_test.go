package reconcile_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"orderprocessor/internal/order"
	"orderprocessor/internal/reconcile"
)

// TestMain holds that no reconciler leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// empty is books without orders, and a queue that nobody needs. It counts what is
// asked of it.
type empty struct {
	sweeps, rounds, forgets atomic.Int32
	follows                 atomic.Bool // another process leads
	fails                   atomic.Bool
}

func (e *empty) Waiting(
	_ context.Context, s order.Status, _, _ time.Time, _ int,
) ([]order.Record, time.Time, error) {
	if s == order.StatusPending {
		e.rounds.Add(1)
	}
	return nil, time.Time{}, nil
}

func (*empty) Get(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

func (*empty) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (*empty) Lost(context.Context, string, order.LostAttempt) (order.Loss, error) {
	return order.Loss{}, nil
}

func (*empty) Apart(context.Context) (string, error) { return "", nil }

func (*empty) SetApart(context.Context, string, time.Duration) (string, error) { return "", nil }

func (*empty) EndApart(context.Context, string) error { return nil }

func (e *empty) Lead(context.Context, string, time.Duration) (bool, error) {
	return !e.follows.Load(), nil
}

func (*empty) Requeued(context.Context, string, string) (bool, error) { return false, nil }

func (*empty) Repaired(context.Context, order.Repair, int, string) error { return nil }

func (*empty) Holds(context.Context, order.Record) (bool, error) { return true, nil }

func (e *empty) Forget(context.Context, time.Time, int) (int, error) {
	e.forgets.Add(1)
	return 0, nil
}

func (*empty) ForgetEvents(context.Context, time.Time) error { return nil }

func (*empty) Balance(context.Context) (int64, int, error) { return 0, 0, nil }

func (*empty) Enqueue(context.Context, order.Record) (bool, error) { return false, nil }

func (e *empty) Strays(context.Context) ([]order.Stray, error) {
	e.sweeps.Add(1)
	if e.fails.Load() {
		return nil, order.ErrUnavailable
	}
	return nil, nil
}

func (*empty) Held(context.Context) ([]order.Stray, error) { return nil, nil }

func (*empty) Withhold(context.Context, order.Stray) error { return nil }

func (*empty) PutBack(context.Context, order.Stray) (bool, error) { return false, nil }

func (*empty) SetAside(context.Context, order.Queue, string) (bool, error) { return false, nil }

func (*empty) Parked(context.Context) ([]order.Parked, bool, error) { return nil, true, nil }

func (*empty) Remove(context.Context, order.Parked) (bool, error) { return false, nil }

// world is all that a reconciler works on.
type world interface {
	reconcile.Ledger
	reconcile.Queue
	reconcile.Deliveries
	reconcile.Places
}

func reconciler(w world, log *slog.Logger) *reconcile.Reconciler {
	return reconcile.New(reconcile.Config{Name: "w1", Retention: retention, Log: log},
		reconcile.Parts{Ledger: w, Queue: w, Strays: w, Places: w})
}

// TestRun holds that a leader sweeps and forgets every second and makes a round
// every ten until the context ends, that a follower does nothing, and that what
// fails is tried again and logged now and then.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		e := &empty{}
		r := reconciler(e, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		after := func(d time.Duration, sweeps, rounds int32) {
			t.Helper()
			time.Sleep(d) // fake time
			synctest.Wait()
			if n := e.sweeps.Swap(0); n != sweeps {
				t.Errorf("%d sweeps, want %d", n, sweeps)
			}
			if n := e.forgets.Swap(0); n < sweeps-1 || n > sweeps {
				t.Errorf("settled orders were forgotten %d times in %d sweeps", n, sweeps)
			}
			if n := e.rounds.Swap(0); n != rounds && (rounds == 0 || n != rounds+1) {
				t.Errorf("%d rounds, want %d", n, rounds)
			}
		}
		reset := func() {
			e.sweeps.Store(0)
			e.forgets.Store(0)
			e.rounds.Store(0)
		}
		time.Sleep(500 * time.Millisecond) // the first round may come before it leads
		reset()
		after(20*time.Second, 20, 2)
		e.follows.Store(true)
		time.Sleep(time.Second) // one more may come before it knows
		reset()
		after(30*time.Second, 0, 0)
		e.follows.Store(false)
		e.fails.Store(true)
		time.Sleep(time.Second)
		reset()
		after(25*time.Second, 25, 2)
		if n := strings.Count(log.String(), "level=WARN"); n != 3 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestRunEndsDuringSweep holds that Run ends with its context in the middle of a
// sweep, without an error or a warning.
func TestRunEndsDuringSweep(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := hanging{empty: &empty{}, asked: make(chan struct{})}
	r := reconciler(h, slog.New(slog.NewTextHandler(&log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	<-h.asked
	cancel()
	if err := <-ended; err != nil || log.Len() > 0 {
		t.Errorf("Run: %v, logged %q", err, log.String())
	}
}

// hanging is books that answer when the caller has gone.
type hanging struct {
	*empty
	asked chan struct{}
}

func (h hanging) Strays(ctx context.Context) ([]order.Stray, error) {
	close(h.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}
