package order_test

import (
	"testing"

	"orderprocessor/internal/order"
)

func TestRecordResult(t *testing.T) {
	t.Parallel()
	handlings := []order.Handling{"", "standard", "priority", "expedited"}
	completed := []string{
		"Order processing completed",
		"Order processing completed",
		"Order marked for priority processing",
		"Order expedited due to high priority",
	}
	for _, status := range order.Statuses() {
		for i, handling := range handlings {
			want := ""
			switch status { //nolint:exhaustive // every other status has no result
			case order.StatusCompleted:
				want = completed[i]
			case order.StatusRejected, order.StatusFailed:
				want = "Order processing failed"
			}
			if got := (order.Record{Status: status, Handling: handling}).Result(); got != want {
				t.Errorf("%s, handling %q: result %q, want %q", status, handling, got, want)
			}
		}
	}
}
