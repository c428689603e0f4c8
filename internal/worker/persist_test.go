package worker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/worker"
)

// fakeBooks are books that answer as told, without a Redis.
type fakeBooks struct {
	rec    order.Record
	answer func(n int) error // to the n-th write that ends the attempt
	writes []time.Time
}

func (f *fakeBooks) Get(context.Context, string) (order.Record, error) { return f.rec, nil }

func (f *fakeBooks) Begin(context.Context, order.Claim) (order.Begun, error) {
	return order.Begun{Number: 1, Try: 1}, nil
}

func (f *fakeBooks) Fail(context.Context, order.Claim, order.Failure) error {
	return f.write()
}

func (f *fakeBooks) Settle(context.Context, order.Claim, order.Outcome) error { return f.write() }

func (f *fakeBooks) Hold(context.Context, string, order.Decision) error { return f.write() }

func (f *fakeBooks) write() error {
	f.writes = append(f.writes, time.Now())
	return f.answer(len(f.writes))
}

// TestPersist holds that a write which Redis does not answer is repeated, ever
// more slowly, while the delivery lasts, and that any other answer stands.
func TestPersist(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	answered := func(after int, err error) func(int) error {
		return func(n int) error {
			if n <= after {
				return order.ErrUnavailable
			}
			return err
		}
	}
	rows := []struct {
		name   string
		answer func(int) error
		want   error
		writes int
		within time.Duration
	}{
		{"answered at once", answered(0, nil), nil, 1, 0},
		{"answered after three tries", answered(3, nil), nil, 4, 350 * time.Millisecond},
		{"answered after a minute", answered(34, nil), nil, 35, time.Minute},
		{"another error is not repeated", answered(1, odd), odd, 2, 50 * time.Millisecond},
		{"stale is not repeated", answered(0, order.ErrStale), order.ErrStale, 1, 0},
		{"never answered", answered(1000, nil), order.ErrUnavailable, 65, 2 * time.Minute},
	}
	for _, row := range rows {
		for name, err := range map[string]error{"settle": nil, "fail": errors.New("connection refused")} {
			t.Run(name+", "+row.name, func(t *testing.T) {
				t.Parallel()
				o := ordertest.Order(t)
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					books := &fakeBooks{rec: order.Record{Order: o, Status: order.StatusPending}, answer: row.answer}
					w := worker.New(config(), books, books, answers("", err))
					started := time.Now()
					got := w.Work(ctx, o.ID)
					if name == "fail" && row.want == nil {
						if verdictOf(got).Kind != retryLater {
							t.Errorf("answered %v", got)
						}
					} else if !errors.Is(got, row.want) {
						t.Errorf("answered %v, want %v", got, row.want)
					}
					if len(books.writes) != row.writes {
						t.Errorf("%d writes, want %d", len(books.writes), row.writes)
					}
					if took := time.Since(started); took > row.within {
						t.Errorf("took %v, want at most %v", took, row.within)
					}
				})
			})
		}
	}
}
