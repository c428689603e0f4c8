package stats_test

import (
	"errors"
	"fmt"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// TestCausesRankAboveEffects reports the cause where its effects occur as well, and does not
// count workers whose heartbeats Redis may have refused.
func TestCausesRankAboveEffects(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("read: %w", order.ErrUnavailable)
	full := map[order.Queue]stats.Depth{order.QueueLow: {Pending: 100}}
	for _, row := range []struct {
		name   string
		facts  stats.Facts
		reason string
		known  bool
	}{
		{"everything at once", stats.Facts{
			Unusable: errors.New("a replica"), Unread: away, MaxBacklog: 100,
			Snapshot: stats.Snapshot{Memory: stats.Memory{Used: 99, Limit: 100}, Depths: full},
		}, "a replica", false},
		{"a replica with workers", stats.Facts{
			Unusable: errors.New("a replica"), Snapshot: stats.Snapshot{WorkerPool: stats.WorkerPool{Slots: 1}},
		}, "a replica", true},
		{"a replica without", stats.Facts{Unusable: errors.New("a replica")}, "a replica", false},
		{"away", stats.Facts{Unread: away}, stats.ReasonRedisAway, false},
		{"a fault", stats.Facts{Unread: errors.New("odd")}, stats.ReasonUnreadable, false},
		{"full memory, full queues, no worker", stats.Facts{
			MaxBacklog: 100, Snapshot: stats.Snapshot{Memory: stats.Memory{Used: 96, Limit: 100}, Depths: full},
		}, stats.ReasonMemory, false},
		{"the last queue is refused, no worker", stats.Facts{
			Snapshot: stats.Snapshot{Memory: stats.Memory{Used: 81, Limit: 100}},
		}, stats.ReasonMemory, true},
		{"full queues, no worker", stats.Facts{MaxBacklog: 100, Snapshot: stats.Snapshot{Depths: full}}, stats.ReasonNoWorker, true},
		{"full queues", stats.Facts{
			MaxBacklog: 100, Snapshot: stats.Snapshot{Depths: full, WorkerPool: stats.WorkerPool{Slots: 1}},
		}, stats.ReasonQueuesFull, true},
		{"some memory left", stats.Facts{
			Snapshot: stats.Snapshot{Memory: stats.Memory{Used: 80, Limit: 100}, WorkerPool: stats.WorkerPool{Slots: 1}},
		}, "", true},
	} {
		if got := row.facts.Reason(); got != row.reason {
			t.Errorf("%s: the reason is %q, want %q", row.name, got, row.reason)
		}
		if got := row.facts.WorkersKnown(); got != row.known {
			t.Errorf("%s: the workers are known: %t, want %t", row.name, got, row.known)
		}
	}
}
