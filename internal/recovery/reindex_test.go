package recovery_test

import (
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestReindex checks that an order which is in no index, and has no task, is found and
// enqueued at once, and counted.
func TestReindex(t *testing.T) {
	b := open(t)
	b.do(accept("o1"), accept("o2"))
	if n := b.RDB.ZRem(t.Context(), ledgertest.IndexKey(order.StatusPending), "o1").Val(); n != 1 {
		t.Fatal("the order was in no index before")
	}
	b.repairTasks(time.Now().Add(time.Hour))
	if b.Task(order.QueueDefault, "o1") == nil {
		t.Error("the order has no task")
	}
	wantEqual(t, "repairs", repairs{order.RepairReindexed: 1, order.RepairMissingTask: 2}, b.repairs())
}
