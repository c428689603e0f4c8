package worker_test

import (
	"context"
	"errors"
	"testing"

	"orderprocessor/internal/order"
)

// TestUnknownIsReported checks that the books learn from each end of a call whether the
// shop may have taken the order.
func TestUnknownIsReported(t *testing.T) {
	t.Parallel()
	busy := errors.New("busy")
	for name, row := range map[string]struct {
		shop    error
		unknown bool
	}{
		"no answer came":         {&order.RetryError{Err: busy, Unknown: true}, true},
		"it asked to come again": {&order.RetryError{Err: busy}, false},
		"the call had no end":    {context.DeadlineExceeded, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			b.hire(answers("", row.shop))
			_ = b.Work(t.Context(), "o1")
			if row.unknown {
				notCancelled(t, b)
				return
			}
			cancelled(t, b)
		})
	}
	t.Run("the last attempt", func(t *testing.T) {
		b := open(t)
		failed("a")(t, b)
		failed("b")(t, b)
		b.hire(answers("", &order.RetryError{Err: busy, Unknown: true}))
		_ = b.Work(t.Context(), "o1")
		retried("r")(t, b)
		notCancelled(t, b)
	})
	t.Run("the shop refuses it later", func(t *testing.T) {
		b := open(t)
		begun("a")(t, b)
		if err := b.books.Fail(t.Context(), claim("a"), order.Failure{Error: "busy", Unknown: true}); err != nil {
			t.Fatal(err)
		}
		b.hire(answers("", &order.PermanentError{Err: errors.New("answered 422")}))
		_ = b.Work(t.Context(), "o1")
		retried("r")(t, b)
		cancelled(t, b)
	})
	t.Run("the worker is stopped while it calls", func(t *testing.T) {
		b := open(t)
		ctx, stop := context.WithCancel(t.Context())
		b.hire(&fulfilment{fulfil: func(ctx context.Context, _ order.Approval) (string, error) {
			stop()
			<-ctx.Done()
			return "", &order.RetryError{Err: ctx.Err(), Unknown: true}
		}})
		_ = b.Work(ctx, "o1")
		if _, err := b.books.Begin(t.Context(), claim("next")); err != nil { // closes the attempt
			t.Fatal(err)
		}
		failed("other")(t, b)
		notCancelled(t, b)
	})
}

// TestLoweredAttemptLimit checks that an order whose attempts are used up by a lower
// limit keeps the error of its last attempt.
func TestLoweredAttemptLimit(t *testing.T) {
	b := open(t)
	failed("a")(t, b)
	failed("b")(t, b)
	b.hire(answers("", nil))
	b.MaxAttempts = 2
	if got := verdictOf(b.Work(t.Context(), "o1")); got.Reason != "2 attempts used up: busy" {
		t.Errorf("answered %+v", got)
	}
	if rec := b.get(t); rec.Status != order.StatusFailed || rec.Error != "2 attempts used up: busy" {
		t.Errorf("the order is %s: %s", rec.Status, rec.Error)
	}
}
