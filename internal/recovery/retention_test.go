package recovery_test

import (
	"errors"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
)

// TestRetention checks that settled orders are forgotten when their retention ends, and
// no others, even if a record cannot be read.
func TestRetention(t *testing.T) {
	b := open(t)
	b.do(accept("done"), settle("done", order.StatusCompleted), accept("waiting"), enqueue("waiting"), accept("working"), begin("working", "w1"))
	settledAt := b.get("done").ProcessedAt
	defer b.makeUnreadable("waiting")()
	for _, row := range []struct {
		now  time.Time
		want error // of reading the settled order
	}{
		{settledAt.Add(retention - time.Microsecond), nil},
		{settledAt.Add(retention), order.ErrNotFound},
	} {
		queuetest.Must(t, b.Forget(t.Context(), row.now))
		if _, err := b.books.Get(t.Context(), "done"); !errors.Is(err, row.want) {
			t.Errorf("%v after it was settled: %v, want %v", row.now.Sub(settledAt), err, row.want)
		}
		b.get("working")
		if _, err := b.books.Get(t.Context(), "waiting"); !errors.Is(err, order.ErrUnreadable) {
			t.Errorf("the waiting order: %v", err)
		}
	}
	totals, err := b.books.Totals(t.Context())
	if err != nil || totals.ByStatus[order.StatusCompleted] != 1 || totals.Drift() != 0 {
		t.Errorf("totals are %v, drift %d, %v", totals.ByStatus, totals.Drift(), err)
	}
}
