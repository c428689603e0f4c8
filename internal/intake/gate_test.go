package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestMain holds that no gate leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lengths is queues whose length is set, and which may hang.
type lengths struct {
	mu      sync.Mutex
	pending int64
	used    int64 // of a memory of 1,000 bytes
	err     error
	hang    bool
}

func (l *lengths) Backlog(ctx context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hang {
		l.mu.Unlock()
		<-ctx.Done()
		l.mu.Lock()
		return 0, ctx.Err()
	}
	return l.pending, l.err
}

func (l *lengths) Memory(context.Context) (used, limit int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used, 1000, l.err
}

func (l *lengths) set(pending int64, err error, hang bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending, l.err, l.hang = pending, err, hang
}

// guarded is an intake with fakes behind a running gate.
type guarded struct {
	*intake.Intake
	lengths *lengths
	books   *books
	tasks   *tasks
}

// guard runs a gate of the limit in a bubble where time is fake.
func guard(t *testing.T, limit int, test func(t *testing.T, g *guarded)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{lengths: &lengths{}, books: &books{}, tasks: &tasks{}}
		gate := intake.NewGate(g.lengths, g.lengths, limit)
		g.Intake = intake.New(g.books, g.tasks, shop, gate, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- gate.Run(ctx) }()
		synctest.Wait()
		test(t, g)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// take submits n new orders and returns how many were accepted.
func (g *guarded) take(t *testing.T, n int) (accepted int) {
	t.Helper()
	for range n {
		_, _, err := g.Take(t.Context(), ordertest.Order(t))
		var busy *order.BusyError
		switch {
		case err == nil:
			accepted++
		case !errors.As(err, &busy):
			t.Fatal(err)
		case busy.RetryAfter <= 0 || busy.RetryAfter%time.Second != 0:
			t.Errorf("retry after %v", busy.RetryAfter)
		}
	}
	return accepted
}

// counted sets the lengths and lets the gate count again.
func (g *guarded) counted(pending int64) {
	g.lengths.set(pending, nil, false)
	pass(300 * time.Millisecond)
}

// pass lets fake time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestGateLimit holds that one process accepts exactly what the limit leaves,
// and that a refused order leaves nothing behind.
func TestGateLimit(t *testing.T) {
	for _, row := range []struct {
		name    string
		pending int64
		want    int
	}{
		{"empty", 0, 10},
		{"some wait", 7, 3},
		{"one below", 9, 1},
		{"full", 10, 0},
		{"over", 99, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			guard(t, 10, func(t *testing.T, g *guarded) {
				t.Helper()
				g.counted(row.pending)
				if n := g.take(t, 20); n != row.want {
					t.Errorf("%d orders were accepted, want %d", n, row.want)
				}
				if len(g.books.known) != row.want || len(g.tasks.ids) != row.want {
					t.Errorf("%d recorded, %d queued, want %d", len(g.books.known), len(g.tasks.ids), row.want)
				}
			})
		})
	}
}

// TestGateReopens holds that the next count decides, whatever was accepted
// before it.
func TestGateReopens(t *testing.T) {
	guard(t, 10, func(t *testing.T, g *guarded) {
		t.Helper()
		var got []int
		for _, pending := range []int64{0, 10, 8, 12, 0} {
			g.counted(pending)
			got = append(got, g.take(t, 20))
		}
		if diff := cmp.Diff([]int{10, 0, 2, 0, 10}, got); diff != "" {
			t.Errorf("accepted (-want +got):\n%s", diff)
		}
	})
}

// TestGateCountsNewOrdersOnly holds that a repeated order takes no room.
func TestGateCountsNewOrdersOnly(t *testing.T) {
	guard(t, 2, func(t *testing.T, g *guarded) {
		t.Helper()
		o := ordertest.Order(t)
		for range 5 {
			if _, _, err := g.Take(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		if n := g.take(t, 5); n != 1 {
			t.Errorf("%d more were accepted, want 1", n)
		}
	})
}

// TestGateKeepsLastCount holds that the last count stands while Redis is away
// or hangs.
func TestGateKeepsLastCount(t *testing.T) {
	for name, away := range map[string]func(*lengths){
		"away":  func(l *lengths) { l.set(0, order.ErrUnavailable, false) },
		"hangs": func(l *lengths) { l.set(0, nil, true) },
	} {
		t.Run(name, func(t *testing.T) {
			guard(t, 10, func(t *testing.T, g *guarded) {
				t.Helper()
				g.counted(8)
				away(g.lengths)
				pass(5 * time.Second)
				if n := g.take(t, 5); n != 2 {
					t.Errorf("%d were accepted, want 2", n)
				}
				g.lengths.set(0, nil, false)
				pass(2 * time.Second) // a count that hangs takes a second
				if n := g.take(t, 15); n != 10 {
					t.Errorf("%d were accepted after Redis came back, want 10", n)
				}
			})
		})
	}
}

// TestGateLimitAtOnce holds that orders which arrive together do not pass the
// limit together.
func TestGateLimitAtOnce(t *testing.T) {
	guard(t, 10, func(t *testing.T, g *guarded) {
		t.Helper()
		var accepted atomic.Int32
		var clients sync.WaitGroup
		for range 50 {
			o := ordertest.Order(t)
			clients.Go(func() {
				if _, _, err := g.Take(t.Context(), o); err == nil {
					accepted.Add(1)
				}
			})
		}
		clients.Wait()
		if n := accepted.Load(); n != 10 {
			t.Errorf("%d of 50 were accepted, want 10", n)
		}
	})
}

// TestGateMemory holds that nothing is accepted while Redis is nearly full.
func TestGateMemory(t *testing.T) {
	guard(t, 10, func(t *testing.T, g *guarded) {
		t.Helper()
		for _, row := range []struct {
			used int64
			want int
		}{{800, 1}, {801, 0}, {1000, 0}, {500, 1}} {
			g.lengths.mu.Lock()
			g.lengths.used = row.used
			g.lengths.mu.Unlock()
			g.counted(0)
			if n := g.take(t, 1); n != row.want {
				t.Errorf("%d of 1,000 bytes used: %d orders were accepted, want %d", row.used, n, row.want)
			}
		}
	})
}
