package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
)

// TestBackoffDelay compares every delay with exact arithmetic.
func TestBackoffDelay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := queue.Backoff{
			Base: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "base")),
			Max:  time.Duration(rapid.Int64Range(1, math.MaxInt64/2).Draw(t, "max")),
		}
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		exact := new(big.Int).Lsh(big.NewInt(int64(b.Base)), uint(n-1))
		full := b.Max
		if exact.Cmp(big.NewInt(int64(b.Max))) < 0 {
			full = time.Duration(exact.Int64())
		}
		if d := b.Delay(n); d < full-full/2 || d > full {
			t.Fatalf("delay %v, want between half and all of %v", d, full)
		}
	})
}

// TestBackoffSpreads checks that jitter fills the upper half of the delay.
func TestBackoffSpreads(t *testing.T) {
	t.Parallel()
	b := queue.Backoff{Base: time.Hour, Max: time.Hour}
	var low, high bool
	for range 1000 {
		d := b.Delay(1)
		low = low || d < 40*time.Minute
		high = high || d > 50*time.Minute
	}
	if !low || !high {
		t.Errorf("1000 delays: some in the lower third %t, some in the upper third %t", low, high)
	}
}

// TestRetryDelay checks what decides when an order is delivered again.
func TestRetryDelay(t *testing.T) {
	t.Parallel()
	b := queue.Backoff{Base: time.Minute, Max: time.Hour}
	retry := &order.RetryError{After: 5 * time.Second, Err: errors.New("busy")}
	rows := []struct {
		name     string
		retried  int
		err      error
		min, max time.Duration
	}{
		{"the verdict, rounded up", 0, retry, 5*time.Second + 1, 6 * time.Second},
		{"the verdict, however often", 9, fmt.Errorf("work: %w", retry), 5*time.Second + 1, 6 * time.Second},
		{"a lost worker, soon", 9, asynq.ErrLeaseExpired, time.Second, time.Second},
		{"no time asked for, back-off", 0, &order.RetryError{Err: errors.New("busy")}, 30 * time.Second, 61 * time.Second},
		{"Redis away, back-off", 0, order.ErrUnavailable, 30 * time.Second, 61 * time.Second},
		{"anything else, not often", 0, errors.New("odd"), 30 * time.Second, 30 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if d := b.RetryDelay(row.retried, row.err); d < row.min || d > row.max {
				t.Errorf("delay %v, want %v to %v", d, row.min, row.max)
			}
		})
	}
}

// TestIsFailure checks that only a failed attempt counts towards Asynq's limit.
func TestIsFailure(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		asynq.ErrLeaseExpired: false,
		order.ErrUnavailable:  false,
		fmt.Errorf("begin order o1: %w", order.ErrUnavailable): false,
		&order.RetryError{Err: errors.New("busy")}:             true,
		order.ErrStale:             false,
		context.DeadlineExceeded:   false,
		errors.New("parse record"): false,
	} {
		if got := queue.IsFailure(err); got != want {
			t.Errorf("%v counts: %t, want %t", err, got, want)
		}
	}
}
