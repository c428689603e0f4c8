package recovery_test

import (
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestReplaceCorrupt checks that a corrupt task is replaced, and counted once: that of an
// orphan or of a pending order, and that of a delayed order however young the order is.
func TestReplaceCorrupt(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		steps  []step
		repair step
	}{
		{"orphan", []step{accept("o1"), enqueue("o1"), work("o1", "w1"), corrupt("o1")}, requeueOrphans},
		{"pending", []step{accept("o1"), enqueue("o1"), corrupt("o1")}, func(b *bundle) {
			b.repairTasks(time.Now().Add(time.Minute))
		}},
		{
			"delayed",
			[]step{
				accept("o1", ordertest.WithProcessAt(time.Now().Add(time.Hour))), enqueue("o1"),
				func(b *bundle) {
					b.RDB.Del(t.Context(), taskKey("o1"))
					b.RDB.Set(t.Context(), taskKey("o1"), "text", 0)
				},
			},
			func(b *bundle) { b.repairTasks(time.Now()) },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(row.steps...)
			for range 2 {
				row.repair(b)
				if held, err := b.queue.Holds(t.Context(), b.get("o1")); !held || err != nil {
					t.Errorf("the order has a task: %t, %v", held, err)
				}
				wantEqual(t, "repairs", repairs{order.RepairCorruptTask: 1, order.RepairMissingTask: 1}, b.repairs())
			}
		})
	}
}
