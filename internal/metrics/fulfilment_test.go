package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
	"orderprocessor/internal/worker"
)

var _ worker.Fulfilment = (*metrics.Fulfilment)(nil)

// shop answers every call alike.
type shop struct{ err error }

func (s shop) Fulfil(_ context.Context, a order.Approval) (string, error) {
	return fmt.Sprint(a.Order.ID, " ", a.Handling, " ", a.Attempt), s.err
}

func TestFulfilment(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"accepted":      {nil, "ok"},
		"later":         {&order.RetryError{Err: order.ErrUnavailable}, "transient"},
		"refused":       {fmt.Errorf("call: %w", &order.PermanentError{Err: order.ErrConflict}), "permanent"},
		"anything else": {context.Canceled, "transient"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			note, err := r.NewFulfilment(shop{row.err}).Fulfil(t.Context(), order.Approval{
				Order: order.Order{ID: "ord_1"}, Handling: order.HandlingExpedited, Attempt: 3,
			})
			if note != "ord_1 expedited 3" || !errors.Is(err, row.err) {
				t.Errorf("it returned %q, %v", note, err)
			}
			compare(t, map[string]float64{fmt.Sprintf("orders_fulfilment_duration_seconds_count{result=%q}", row.want): 1},
				nonzero(scrape(t, r, "orders_fulfilment_duration_seconds_count")))
		})
	}
}
