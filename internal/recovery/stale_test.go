package recovery_test

import (
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestRemoveStale checks which tasks are removed: those whose order is settled, unknown
// or waits in another queue. An archived task stays as long as its order is known.
func TestRemoveStale(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	scheduled := accept("o1", ordertest.WithProcessAt(later))
	archived := []step{accept("o1"), enqueue("o1"), archive("o1"), settle("o1", order.StatusCompleted)}
	rows := []struct {
		name    string
		steps   []step
		age     time.Duration // after which the tasks are repaired
		left    int64
		removed int64
	}{
		{"scheduled, of a cancelled order", []step{scheduled, enqueue("o1"), cancel("o1")}, 0, 0, 1},
		{"scheduled, of an order that waits for it", []step{scheduled, enqueue("o1")}, 0, 1, 0},
		{"scheduled, of no order", []step{enqueueFor(later, order.QueueDefault, "o1")}, 0, 0, 1},
		{"scheduled, of an order in another queue", []step{accept("o1"), enqueue("o1"), enqueueFor(later, order.QueueLow, "o1")}, 0, 1, 1},
		{"archived, of a settled order", archived, 3 * retention, 1, 0},
		{"archived, of an order just forgotten", append(archived, forget), 0, 1, 0},
		{"archived, of an order forgotten long ago", append(archived, forget), 3 * retention, 0, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(row.steps...)
			for range 2 {
				b.repairTasks(time.Now().Add(row.age))
			}
			b.wantState("after two repairs", state{Tasks: row.left})
			if n := b.repairs()[order.RepairStaleTask]; n != row.removed {
				t.Errorf("%d removals are counted, want %d", n, row.removed)
			}
		})
	}
}
