package reconcile_test

import (
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestOrderInNoIndex holds that an order which no index holds, and no queue, is found
// and queued in one round, and counted.
func TestOrderInNoIndex(t *testing.T) {
	b := open(t)
	rec := b.accept(t, "o1")
	b.accept(t, "o2")
	if n := b.rdb.ZRem(t.Context(), "orders:{b0}:s:pending", "o1").Val(); n != 1 {
		t.Fatal("the order was in no index before")
	}
	if err := b.Round(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if held, err := b.queue.Holds(t.Context(), rec); !held || err != nil {
		t.Errorf("the order has no task, %v", err)
	}
	totals, err := b.books.Totals(t.Context())
	if err != nil || totals.Drift() != 0 || totals.Repairs[order.RepairReindexed] != 1 || totals.Requeued != 2 {
		t.Errorf("%v: drift %d, repairs %v", err, totals.Drift(), totals.Repairs)
	}
}
