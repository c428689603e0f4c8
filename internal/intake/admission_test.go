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

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
)

// fakeLoad is a load that the test sets.
type fakeLoad struct {
	pending, settled atomic.Int64
	used, unit       atomic.Int64 // of 1,000 units of memory, each of so many bytes; unlimited while none is used
	trouble          atomic.Pointer[func(ctx context.Context) error]
}

func (l *fakeLoad) err(ctx context.Context) error {
	if answer := l.trouble.Load(); answer != nil {
		return (*answer)(ctx)
	}
	return nil
}

func (l *fakeLoad) Backlog(ctx context.Context) (int64, error) { return l.pending.Load(), l.err(ctx) }

func (l *fakeLoad) Settled(ctx context.Context) (int64, error) { return l.settled.Load(), l.err(ctx) }

func (l *fakeLoad) Memory(ctx context.Context) (used, limit int64, err error) {
	if l.used.Load() == 0 {
		return 0, 0, l.err(ctx)
	}
	return l.used.Load() * l.unit.Load(), 1000 * l.unit.Load(), l.err(ctx)
}

// admitting is an intake with fakes and an admission that runs.
type admitting struct {
	*intake.Intake
	t      *testing.T
	load   *fakeLoad
	ledger *fakeLedger
	queue  *fakeQueue
}

// admit runs a test in a bubble, where time is fake, with an admission of the limit.
func admit(t *testing.T, limit int, test func(a *admitting)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &admitting{t: t, load: &fakeLoad{}, ledger: &fakeLedger{}, queue: &fakeQueue{}}
		a.load.unit.Store(1 << 20)
		admission := intake.NewAdmission(a.load, a.load, limit)
		a.Intake = intake.New(a.ledger, a.queue, shop, admission, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- admission.Run(ctx) }()
		synctest.Wait()
		test(a)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// submitMany submits n new orders of a priority and returns how many were accepted.
func (a *admitting) submitMany(n int, p order.Priority) (accepted int) {
	a.t.Helper()
	for range n {
		_, _, err := a.Submit(a.t.Context(), ordertest.Order(a.t, ordertest.WithPriority(p)))
		var busy *order.BusyError
		switch {
		case err == nil:
			accepted++
		case !errors.As(err, &busy):
			a.t.Fatal(err)
		case busy.RetryAfter <= 0 || busy.RetryAfter%time.Second != 0:
			a.t.Errorf("retry after %v", busy.RetryAfter)
		}
	}
	return accepted
}

func (a *admitting) wantAccepted(n, want int) {
	a.t.Helper()
	if accepted := a.submitMany(n, order.PriorityMedium); accepted != want {
		a.t.Errorf("%d orders were accepted, want %d", accepted, want)
	}
}

// readAgain lets the admission read the load.
func readAgain() { pass(300 * time.Millisecond) }

// pass lets fake time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestAdmissionLimit checks that one process accepts exactly what the limit leaves, and that
// a refused order leaves nothing behind.
func TestAdmissionLimit(t *testing.T) {
	for name, row := range map[string]struct {
		pending int64
		want    int
	}{"empty": {0, 10}, "some wait": {7, 3}, "one below": {9, 1}, "full": {10, 0}, "over": {99, 0}} {
		t.Run(name, func(t *testing.T) {
			admit(t, 10, func(a *admitting) {
				a.load.pending.Store(row.pending)
				readAgain()
				a.wantAccepted(20, row.want)
				if len(a.ledger.known) != row.want || len(a.queue.ids) != row.want {
					a.t.Errorf("%d recorded, %d enqueued, want %d", len(a.ledger.known), len(a.queue.ids), row.want)
				}
			})
		})
	}
}

// TestAdmissionBoundedByMemory checks that no number of waiting orders is too many where the
// memory of Redis has a limit.
func TestAdmissionBoundedByMemory(t *testing.T) {
	admit(t, 10, func(a *admitting) {
		a.load.pending.Store(1000)
		a.load.used.Store(1)
		readAgain()
		a.wantAccepted(20, 20)
	})
}

// TestAdmissionCountsNewOrdersOnly checks that a repeated order needs no room.
func TestAdmissionCountsNewOrdersOnly(t *testing.T) {
	admit(t, 2, func(a *admitting) {
		o := ordertest.Order(a.t)
		for range 5 {
			_, _, err := a.Submit(a.t.Context(), o)
			queuetest.Must(a.t, err)
		}
		a.wantAccepted(5, 1)
	})
}

// TestAdmissionKeepsLastReading checks that the last reading counts while Redis is away or
// hangs.
func TestAdmissionKeepsLastReading(t *testing.T) {
	for name, trouble := range map[string]func(context.Context) error{
		"away":  func(context.Context) error { return order.ErrUnavailable },
		"hangs": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			admit(t, 10, func(a *admitting) {
				a.load.pending.Store(8)
				readAgain()
				a.load.trouble.Store(&trouble)
				a.load.pending.Store(0)
				pass(5 * time.Second)
				a.wantAccepted(5, 2)
				a.load.trouble.Store(nil)
				pass(2 * time.Second) // a reading that hangs takes a second
				a.wantAccepted(15, 10)
			})
		})
	}
}

// TestAdmissionLimitAtOnce checks that concurrent orders do not exceed the limit together.
func TestAdmissionLimitAtOnce(t *testing.T) {
	admit(t, 10, func(a *admitting) {
		var accepted atomic.Int32
		var clients sync.WaitGroup
		for range 50 {
			o := ordertest.Order(a.t)
			clients.Go(func() {
				if _, _, err := a.Submit(a.t.Context(), o); err == nil {
					accepted.Add(1)
				}
			})
		}
		clients.Wait()
		if n := accepted.Load(); n != 10 {
			a.t.Errorf("%d of 50 were accepted, want 10", n)
		}
	})
}

// TestAdmissionMemory checks that the fuller Redis is, the fewer queues accept orders, each
// order of a batch by its own queue, and that they accept orders again when memory is free.
func TestAdmissionMemory(t *testing.T) {
	admit(t, 10, func(a *admitting) {
		low, medium, high := order.PriorityLow, order.PriorityMedium, order.PriorityHigh
		priorities := []order.Priority{low, medium, high}
		for _, row := range []struct {
			used int64
			want []order.Priority // that are accepted
		}{
			{600, priorities},
			{601, []order.Priority{medium, high}},
			{700, []order.Priority{medium, high}},
			{701, []order.Priority{high}},
			{800, []order.Priority{high}},
			{801, nil},
			{1000, nil},
			{500, priorities},
		} {
			a.load.used.Store(row.used)
			readAgain()
			var orders []order.Order
			for _, p := range priorities {
				orders = append(orders, ordertest.Order(a.t, ordertest.WithPriority(p)))
			}
			var got []order.Priority
			for i, answer := range a.SubmitAll(a.t.Context(), orders) {
				var busy *order.BusyError
				if answer.IsNew {
					got = append(got, priorities[i])
				} else if !errors.As(answer.Err, &busy) {
					a.t.Errorf("order %d: %+v", i, answer)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				a.t.Errorf("%d of 1,000 units used (-want +got):\n%s", row.used, diff)
			}
		}
	})
}

// TestAdmissionRetryAfter checks that a refused client is asked to wait until the excess has
// drained at the rate of the last seconds, of the queues and of a Redis that is nearly full.
func TestAdmissionRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name    string
		pending int64 // of at most 1,000
		settled int64 // orders per second
		used    int64 // of at most 800 units
		freed   int64 // units per second
		want    time.Duration
	}{
		{"nothing is settled", 1000, 0, 0, 0, 10 * time.Second},
		{"slow", 1000, 10, 0, 0, 5 * time.Second},
		{"far over", 1500, 10, 0, 0, 55 * time.Second},
		{"far over and slow", 3000, 1, 0, 0, 2 * time.Minute},
		{"fast", 1000, 5000, 0, 0, time.Second},
		{"memory fills", 0, 0, 820, -1, 10 * time.Second},
		{"memory stays", 0, 0, 820, 0, 10 * time.Second},
		{"memory empties", 0, 0, 820, 2, 10 * time.Second},
		{"memory empties fast", 0, 0, 820, 10, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			const seconds = 60
			admit(t, 1000, func(a *admitting) {
				a.load.pending.Store(row.pending)
				a.load.used.Store(row.used + seconds*row.freed)
				for range seconds {
					pass(time.Second)
					a.load.settled.Add(row.settled)
					a.load.used.Add(-row.freed)
				}
				readAgain()
				_, _, err := a.Submit(a.t.Context(), ordertest.Order(a.t, ordertest.WithPriority(order.PriorityHigh)))
				var busy *order.BusyError
				if !errors.As(err, &busy) {
					a.t.Fatalf("the order was answered %v", err)
				}
				if busy.RetryAfter < row.want*8/10 || busy.RetryAfter > row.want*13/10 {
					a.t.Errorf("asked to wait %v, want about %v", busy.RetryAfter, row.want)
				}
			})
		})
	}
}

// TestAdmissionCountsBytes checks that orders which arrive between two readings do not fill
// Redis, and that the next reading replaces their estimate.
func TestAdmissionCountsBytes(t *testing.T) {
	admit(t, 1000, func(a *admitting) {
		a.load.unit.Store(100)
		for _, row := range []struct {
			used int64
			want int // of orders that need a little over 2,000 bytes each
		}{{1, 39}, {600, 9}, {790, 1}, {801, 0}, {1, 39}} {
			a.load.used.Store(row.used)
			readAgain()
			if n := a.submitMany(100, order.PriorityHigh); n < row.want-1 || n > row.want+1 {
				a.t.Errorf("with %d of 1,000 units used %d orders were accepted, want about %d", row.used, n, row.want)
			}
		}
	})
}
