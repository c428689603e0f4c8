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

// TestResults checks where each way in which an attempt can end is counted.
func TestResults(t *testing.T) {
	t.Parallel()
	settle := func(status order.Status) func(context.Context, metrics.AttemptLedger) error {
		return func(ctx context.Context, l metrics.AttemptLedger) error {
			return l.Settle(ctx, order.Claim{}, order.Outcome{Status: status})
		}
	}
	fail := func(ctx context.Context, l metrics.AttemptLedger) error {
		return l.Fail(ctx, order.Claim{}, order.Failure{Error: "why"})
	}
	begin := func(ctx context.Context, l metrics.AttemptLedger) error {
		begun, err := l.Begin(ctx, order.Claim{})
		if begun.Number != 7 {
			t.Errorf("Begin returned %+v", begun)
		}
		return err
	}
	rows := []struct {
		name string
		err  error // of the ledger
		step func(context.Context, metrics.AttemptLedger) error
		ends error // of the handler
		want string
	}{
		{"completed", nil, settle(order.StatusCompleted), nil, "completed"},
		{"rejected", nil, settle(order.StatusRejected), nil, "rejected"},
		{"failed", nil, settle(order.StatusFailed), &order.PermanentError{Err: order.ErrNotFound}, "failed"},
		{"retrying", nil, fail, &order.RetryError{Err: order.ErrNotFound}, "retrying"},
		{"held", nil, func(ctx context.Context, l metrics.AttemptLedger) error {
			return l.Hold(ctx, "ord_1", order.Decision{})
		}, nil, "held"},
		{"begun and nothing more", nil, begin, nil, ""},
		{"no attempt begun", order.ErrNotFound, begin, &order.PermanentError{Err: order.ErrNotFound}, ""},
		{"not recorded", order.ErrUnavailable, settle(order.StatusCompleted), order.ErrUnavailable, "lost"},
		{"retry not recorded", order.ErrUnavailable, fail, order.ErrUnavailable, "lost"},
		{"another delivery took over", order.ErrStale, settle(order.StatusFailed), order.ErrStale, "lost"},
		{"made-up status", nil, settle("made up"), nil, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			attempts := r.NewAttempts()
			ledger := attempts.Ledger(ledgerStub{row.err})
			handler := attempts.Handler(work(func(ctx context.Context, _ string) error {
				if err := row.step(ctx, ledger); !errors.Is(err, row.err) {
					t.Errorf("the ledger returned %v", err)
				}
				return row.ends
			}))
			if err := handler.Work(t.Context(), "ord_1"); !errors.Is(err, row.ends) {
				t.Errorf("the handler returned %v", err)
			}
			want := map[string]float64{}
			if row.want != "" {
				want[fmt.Sprintf("orders_attempts_total{result=%q}", row.want)] = 1
			}
			compare(t, want, nonzero(scrape(t, r, "orders_")))
		})
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
