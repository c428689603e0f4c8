package intake_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestRefused checks which orders cannot be cancelled, or retried, and that neither they nor
// their tasks change and no room is kept for them. A fakeQueue panics when it is to withdraw
// a task.
func TestRefused(t *testing.T) {
	t.Parallel()
	cancel := func(ctx context.Context, in *intake.Intake) (order.Record, error) {
		return in.Cancel(ctx, "o1", order.Intervention{Actor: "ops", Reason: "too late"})
	}
	retry := func(ctx context.Context, in *intake.Intake) (order.Record, error) {
		return in.Retry(ctx, "o1", order.Intervention{Actor: "ops"})
	}
	rows := []struct {
		name   string
		call   func(context.Context, *intake.Intake) (order.Record, error)
		before step
		status order.Status // empty for an order that is unknown
	}{
		{"cancel processing", cancel, processing, order.StatusProcessing},
		{"cancel completed", cancel, settled(order.StatusCompleted), order.StatusCompleted},
		{"cancel rejected", cancel, settled(order.StatusRejected), order.StatusRejected},
		{"cancel failed", cancel, settled(order.StatusFailed), order.StatusFailed},
		{"cancel unknown", cancel, unknown, ""},
		{"retry scheduled", retry, scheduled, order.StatusScheduled},
		{"retry pending", retry, accepted, order.StatusPending},
		{"retry processing", retry, processing, order.StatusProcessing},
		{"retry retrying", retry, retrying, order.StatusRetrying},
		{"retry completed", retry, settled(order.StatusCompleted), order.StatusCompleted},
		{"retry cancelled", retry, cancelled, order.StatusCancelled},
		{"retry unknown", retry, unknown, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			row.before(b)
			before := b.record()
			q := &fakeQueue{}
			in := newIntake(b.ledger, q, 1)
			for range 3 {
				rec, err := row.call(t.Context(), in)
				checkRefused(t, rec, err, row.status)
			}
			if diff := cmp.Diff(before, b.record()); diff != "" || len(q.ids) > 0 {
				t.Errorf("enqueued %v, record (-before +after):\n%s", q.ids, diff)
			}
			b.checkRetried(0)
			if _, isNew, err := in.Submit(t.Context(), ordertest.Order(t)); err != nil || !isNew {
				t.Errorf("there is no room: %v", err)
			}
		})
	}
}

// checkRefused checks that a change was refused because of the order's status, or because
// the order is unknown.
func checkRefused(t *testing.T, rec order.Record, err error, s order.Status) {
	t.Helper()
	var refused *order.StatusError
	isRefused := errors.As(err, &refused) && refused.Status == s || s == "" && errors.Is(err, order.ErrNotFound)
	if !isRefused || rec.ID != "" {
		t.Errorf("answered %+v, %v, want a refusal because of status %q", rec, err, s)
	}
}
