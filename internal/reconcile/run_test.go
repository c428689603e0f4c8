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

// empty is books without orders that fail now and then, and a queue nobody
// needs.
type empty struct {
	rounds atomic.Int32
	err    atomic.Bool
}

func (*empty) Waiting(context.Context, order.Status, time.Time, time.Time, int) ([]order.Record, time.Time, error) {
	return nil, time.Time{}, nil
}

func (*empty) Get(context.Context, string) (order.Record, error) {
	return order.Record{}, order.ErrNotFound
}

func (*empty) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (*empty) Requeued(context.Context, string, string) (bool, error) { return false, nil }

func (*empty) Holds(context.Context, order.Record) (bool, error) { return true, nil }

func (e *empty) Forget(context.Context, time.Time, int) (int, error) {
	e.rounds.Add(1)
	if e.err.Load() {
		return 0, order.ErrUnavailable
	}
	return 0, nil
}

func (*empty) Enqueue(context.Context, order.Record) (bool, error) { return false, nil }

// TestRun holds that rounds are made until the context ends, one at once and one
// every ten seconds, and that a broken one is logged and tried again.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		e := &empty{}
		r := reconcile.New(e, e, e, retention, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		rounds := func(want int32) {
			t.Helper()
			synctest.Wait()
			if n := e.rounds.Load(); n != want {
				t.Errorf("%d rounds, want %d", n, want)
			}
		}
		rounds(1)
		time.Sleep(35 * time.Second) // fake time
		rounds(4)
		e.err.Store(true)
		time.Sleep(10 * time.Second)
		rounds(5)
		e.err.Store(false)
		time.Sleep(10 * time.Second)
		rounds(6)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		rounds(6)
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
	})
}

// TestRunEndsDuringRound holds that Run ends with its context in the middle of a
// round, without an error or a warning.
func TestRunEndsDuringRound(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := hanging{asked: make(chan struct{})}
	r := reconcile.New(h, h, h, retention, slog.New(slog.NewTextHandler(&log, nil)))
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

func (h hanging) Waiting(
	ctx context.Context, _ order.Status, _, _ time.Time, _ int,
) ([]order.Record, time.Time, error) {
	close(h.asked)
	<-ctx.Done()
	return nil, time.Time{}, ctx.Err()
}
