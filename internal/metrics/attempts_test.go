package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/worker"
)

var (
	_ worker.Attempts = metrics.AttemptLedger(nil)
	_ queue.Handler   = metrics.Handler(nil)
)

// work is a handler.
type work func(ctx context.Context, id string) error

func (w work) Work(ctx context.Context, id string) error { return w(ctx, id) }

// TestResults holds where each way in which an attempt can end is counted.
func TestResults(t *testing.T) {
	t.Parallel()
	settle := func(status order.Status) func(context.Context, metrics.AttemptLedger) error {
		return func(ctx context.Context, b metrics.AttemptLedger) error {
			return b.Settle(ctx, order.Claim{}, order.Outcome{Status: status})
		}
	}
	fail := func(ctx context.Context, b metrics.AttemptLedger) error {
		return b.Fail(ctx, order.Claim{}, order.Failure{Error: "why"})
	}
	begin := func(ctx context.Context, b metrics.AttemptLedger) error {
		_, err := b.Begin(ctx, order.Claim{})
		return err
	}
	rows := []struct {
		name string
		err  error // of the books
		step func(context.Context, metrics.AttemptLedger) error
		ends error // of the handler
		want string
	}{
		{"completed", nil, settle(order.StatusCompleted), nil, "completed"},
		{"rejected", nil, settle(order.StatusRejected), nil, "rejected"},
		{"failed", nil, settle(order.StatusFailed), &order.PermanentError{Err: order.ErrNotFound}, "failed"},
		{"retrying", nil, fail, &order.RetryError{Err: order.ErrNotFound}, "retrying"},
		{"begun and nothing more", nil, begin, nil, ""},
		{"no attempt begun", order.ErrNotFound, begin, &order.PermanentError{Err: order.ErrNotFound}, ""},
		{"not recorded", order.ErrUnavailable, settle(order.StatusCompleted), order.ErrUnavailable, "lost"},
		{"retry not recorded", order.ErrUnavailable, fail, order.ErrUnavailable, "lost"},
		{"another one took over", order.ErrStale, settle(order.StatusFailed), order.ErrStale, "lost"},
		{"made-up status", nil, settle("made up"), nil, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			attempts := r.NewAttempts()
			books := attempts.Ledger(booksStub{row.err})
			handler := attempts.Handler(work(func(ctx context.Context, _ string) error {
				if err := row.step(ctx, books); !errors.Is(err, row.err) {
					t.Errorf("the books hand on %v", err)
				}
				return row.ends
			}))
			if err := handler.Work(t.Context(), "ord_1"); !errors.Is(err, row.ends) {
				t.Errorf("the handler hands on %v", err)
			}
			want := map[string]float64{}
			if row.want != "" {
				want[fmt.Sprintf("orders_attempts_total{result=%q}", row.want)] = 1
			}
			compare(t, want, nonzero(scrape(t, r, "orders_")))
		})
	}
}

// TestBeginIsHandedOn holds that Begin returns what the ledger returns.
func TestBeginIsHandedOn(t *testing.T) {
	t.Parallel()
	if begun, err := metrics.New("commit 1").NewAttempts().Ledger(booksStub{}).Begin(t.Context(), order.Claim{}); begun.Number != 7 || err != nil {
		t.Errorf("it hands on %v, %v", begun, err)
	}
}

// TestRunning counts attempts while they run, also those that panic.
func TestRunning(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	running := func() float64 { return scrape(t, r, "orders_attempts_running")["orders_attempts_running"] }
	handler := r.NewAttempts().Handler(work(func(_ context.Context, id string) error {
		if n := running(); n != 1 || id != "ord_1" {
			t.Errorf("%v run while %s is worked", n, id)
		}
		panic("out")
	}))
	func() {
		defer func() { _ = recover() }()
		_ = handler.Work(t.Context(), "ord_1")
	}()
	if n := running(); n != 0 {
		t.Errorf("%v run afterwards", n)
	}
}

// TestWorkingAllocatesNothing holds that counting costs the hot path no memory.
func TestWorkingAllocatesNothing(t *testing.T) {
	attempts := metrics.New("commit 1").NewAttempts()
	books, ctx := attempts.Ledger(booksStub{}), context.Background()
	handler := attempts.Handler(work(func(ctx context.Context, _ string) error {
		return books.Settle(ctx, order.Claim{}, order.Outcome{Status: order.StatusCompleted})
	}))
	if n := testing.AllocsPerRun(1000, func() { _ = handler.Work(ctx, "ord_1") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
