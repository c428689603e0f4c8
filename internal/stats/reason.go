package stats

import (
	"errors"
	"slices"

	"orderprocessor/internal/order"
)

// The reasons why orders are not accepted or not processed, as GET /health shows them. A
// process that cannot use its Redis shows the error of the failed check instead.
const (
	ReasonRedisAway  = "Redis is unavailable"
	ReasonUnreadable = "the state of the orders could not be read"
	ReasonMemory     = "Redis is nearly full: all new orders are refused"
	ReasonNoWorker   = "no worker is alive"
	ReasonQueuesFull = "the queues are full"
)

// heartbeatShare is the share of its memory, in percent, above which Redis may refuse the
// heartbeats of workers, so that workers which are alive seem to be gone.
const heartbeatShare = 95

// Admits reports whether new orders of the queue are accepted at this use of memory.
func (m Memory) Admits(q order.Queue) bool {
	return m.Limit <= 0 || m.Used <= m.Limit/100*q.Spec().MemoryPercent
}

// Refused returns the queues whose new orders are refused at this use of memory.
func (m Memory) Refused() []order.Queue { return slices.DeleteFunc(order.Queues(), m.Admits) }

// Facts is what decides whether orders are accepted and processed.
type Facts struct {
	// Unusable is why this process cannot use its Redis, or nil.
	Unusable error
	// Unread is why the snapshot could not be read, or nil.
	Unread error
	// Snapshot is the snapshot, if it could be read.
	Snapshot
	// MaxBacklog is how many orders may wait where the memory of Redis has no limit; 0 for
	// any number.
	MaxBacklog int64
}

// Reason returns why orders are not accepted or not processed, or an empty string. A cause
// has precedence over its effects: first Redis, then its memory, then the workers, whose
// heartbeats are kept in Redis, and last the queues, which fill when no worker is alive.
func (f Facts) Reason() string {
	reason := f.redisReason()
	switch {
	case reason != "":
		return reason
	case len(f.Memory.Refused()) == len(order.Queues()):
		return ReasonMemory
	case f.Slots == 0 && !f.PoolUnknown:
		return ReasonNoWorker
	case f.full():
		return ReasonQueuesFull
	default:
		return ""
	}
}

// redisReason returns why nothing is known of the orders, or an empty string.
func (f Facts) redisReason() string {
	switch {
	case f.Unusable != nil:
		return f.Unusable.Error()
	case errors.Is(f.Unread, order.ErrUnavailable):
		return ReasonRedisAway
	case f.Unread != nil:
		return ReasonUnreadable
	default:
		return ""
	}
}

// WorkersKnown reports whether WorkerPool is reliable. An empty pool is not while Redis may
// have refused heartbeats.
func (f Facts) WorkersKnown() bool {
	if f.Unread != nil || f.PoolUnknown {
		return false
	}
	refused := f.Unusable != nil || f.Memory.Limit > 0 && f.Memory.Used > f.Memory.Limit/100*heartbeatShare
	return f.Slots > 0 || !refused
}
