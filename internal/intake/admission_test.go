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
	used    int64 // of the memory, in units
	unit    int64 // bytes; the memory has 1,000 units
	settled int64
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
	return l.used * l.unit, 1000 * l.unit, l.err
}

func (l *lengths) Settled(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settled, l.err
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
		g := &guarded{lengths: &lengths{unit: 1 << 20}, books: &books{}, tasks: &tasks{}}
		gate := intake.NewAdmission(g.lengths, g.lengths, limit)
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

// submitMany submits n new orders and returns how many were accepted.
func (g *guarded) submitMany(t *testing.T, n int) (accepted int) {
	t.Helper()
	for range n {
		_, _, err := g.Submit(t.Context(), ordertest.Order(t))
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

// TestAdmissionLimit holds that one process accepts exactly what the limit leaves,
// and that a refused order leaves nothing behind.
func TestAdmissionLimit(t *testing.T) {
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
				if n := g.submitMany(t, 20); n != row.want {
					t.Errorf("%d orders were accepted, want %d", n, row.want)
				}
				if len(g.books.known) != row.want || len(g.tasks.ids) != row.want {
					t.Errorf("%d recorded, %d queued, want %d", len(g.books.known), len(g.tasks.ids), row.want)
				}
			})
		})
	}
}

// TestAdmissionCountsNewOrdersOnly holds that a repeated order takes no room.
func TestAdmissionCountsNewOrdersOnly(t *testing.T) {
	guard(t, 2, func(t *testing.T, g *guarded) {
		t.Helper()
		o := ordertest.Order(t)
		for range 5 {
			if _, _, err := g.Submit(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		if n := g.submitMany(t, 5); n != 1 {
			t.Errorf("%d more were accepted, want 1", n)
		}
	})
}

// TestAdmissionKeepsLastCount holds that the last count stands while Redis is away
// or hangs.
func TestAdmissionKeepsLastCount(t *testing.T) {
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
				if n := g.submitMany(t, 5); n != 2 {
					t.Errorf("%d were accepted, want 2", n)
				}
				g.lengths.set(0, nil, false)
				pass(2 * time.Second) // a count that hangs takes a second
				if n := g.submitMany(t, 15); n != 10 {
					t.Errorf("%d were accepted after Redis came back, want 10", n)
				}
			})
		})
	}
}

// TestAdmissionLimitAtOnce holds that orders which arrive together do not pass the
// limit together.
func TestAdmissionLimitAtOnce(t *testing.T) {
	guard(t, 10, func(t *testing.T, g *guarded) {
		t.Helper()
		var accepted atomic.Int32
		var clients sync.WaitGroup
		for range 50 {
			o := ordertest.Order(t)
			clients.Go(func() {
				if _, _, err := g.Submit(t.Context(), o); err == nil {
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

// TestAdmissionMemory holds that the fuller Redis is, the fewer queues take orders, and
// that they take them again when it is not.
func TestAdmissionMemory(t *testing.T) {
	guard(t, 10, func(t *testing.T, g *guarded) {
		t.Helper()
		for _, row := range []struct {
			used int64
			want []order.Priority // of the orders that are taken
		}{
			{600, []order.Priority{order.PriorityLow, order.PriorityMedium, order.PriorityHigh}},
			{601, []order.Priority{order.PriorityMedium, order.PriorityHigh}},
			{700, []order.Priority{order.PriorityMedium, order.PriorityHigh}},
			{701, []order.Priority{order.PriorityHigh}},
			{800, []order.Priority{order.PriorityHigh}},
			{801, nil},
			{1000, nil},
			{500, []order.Priority{order.PriorityLow, order.PriorityMedium, order.PriorityHigh}},
		} {
			g.lengths.mu.Lock()
			g.lengths.used = row.used
			g.lengths.mu.Unlock()
			g.counted(0)
			var got []order.Priority
			for _, p := range []order.Priority{order.PriorityLow, order.PriorityMedium, order.PriorityHigh} {
				if _, _, err := g.Submit(t.Context(), ordertest.Order(t, ordertest.WithPriority(p))); err == nil {
					got = append(got, p)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%d of 1,000 bytes used (-want +got):\n%s", row.used, diff)
			}
		}
	})
}

// TestAdmissionRetryAfter holds that a refused client is told to wait for as long as
// the excess takes to go at the rate of the last seconds.
func TestAdmissionRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name      string
		perSecond int64 // orders settled
		pending   int64 // of at most 1,000
		want      time.Duration
	}{
		{"nothing is settled", 0, 1000, 10 * time.Second},
		{"slow", 10, 1000, 5 * time.Second},
		{"far over", 10, 1500, 55 * time.Second},
		{"far over and slow", 1, 3000, 2 * time.Minute},
		{"fast", 5000, 1000, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			guard(t, 1000, func(t *testing.T, g *guarded) {
				t.Helper()
				g.lengths.set(row.pending, nil, false)
				for range 60 {
					pass(time.Second)
					g.lengths.mu.Lock()
					g.lengths.settled += row.perSecond
					g.lengths.mu.Unlock()
				}
				got := g.refused(t)
				if got < row.want*8/10 || got > row.want*13/10 {
					t.Errorf("told to wait %v, want about %v", got, row.want)
				}
			})
		})
	}
}

// TestAdmissionMemoryRetryAfter holds the same for a Redis that is nearly full.
func TestAdmissionMemoryRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name      string
		perSecond int64 // bytes freed
		want      time.Duration
	}{
		{"it fills", -1, 10 * time.Second},
		{"it stays", 0, 10 * time.Second},
		{"it empties", 2, 10 * time.Second},
		{"it empties fast", 10, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			guard(t, 1000, func(t *testing.T, g *guarded) {
				t.Helper()
				g.lengths.mu.Lock()
				g.lengths.used = 820 + 30*row.perSecond
				g.lengths.mu.Unlock()
				for range 30 {
					pass(time.Second)
					g.lengths.mu.Lock()
					g.lengths.used -= row.perSecond
					g.lengths.mu.Unlock()
				}
				pass(300 * time.Millisecond)
				got := g.refused(t)
				if got < row.want*8/10 || got > row.want*13/10 {
					t.Errorf("told to wait %v, want about %v", got, row.want)
				}
			})
		})
	}
}

// refused submits an order that there is no room for, and returns how long its
// client is told to wait.
func (g *guarded) refused(t *testing.T) time.Duration {
	t.Helper()
	_, _, err := g.Submit(t.Context(), ordertest.Order(t, ordertest.WithPriority(order.PriorityHigh)))
	var busy *order.BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("the order was answered %v", err)
	}
	return busy.RetryAfter
}

// TestAdmissionCountsBytes holds that orders which arrive between two readings do not
// fill Redis, and that the next reading counts anew.
func TestAdmissionCountsBytes(t *testing.T) {
	guard(t, 1000, func(t *testing.T, g *guarded) {
		t.Helper()
		g.lengths.mu.Lock()
		g.lengths.unit = 100
		g.lengths.mu.Unlock()
		for _, row := range []struct {
			used int64
			want int // of orders that need a little over 2,000 bytes each
		}{{0, 39}, {600, 9}, {790, 1}, {801, 0}, {0, 39}} {
			g.lengths.mu.Lock()
			g.lengths.used = row.used
			g.lengths.mu.Unlock()
			g.counted(0)
			taken := 0
			for range 100 {
				if _, _, err := g.Submit(t.Context(), ordertest.Order(t, ordertest.WithPriority(order.PriorityHigh))); err == nil {
					taken++
				}
			}
			if taken < row.want-1 || taken > row.want+1 {
				t.Errorf("with %d of 1,000 units used %d orders were accepted, want about %d", row.used, taken, row.want)
			}
		}
	})
}
