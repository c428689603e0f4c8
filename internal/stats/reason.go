package stats

import (
	"errors"
	"slices"

	"orderprocessor/internal/order"
)

// The reasons why orders are not taken or not worked, as GET /health gives them. A
// process that cannot use its Redis gives the words of the check that failed instead.
const (
	ReasonRedisAway  = "Redis is unavailable"
	ReasonUnreadable = "the state of the orders could not be read"
	ReasonMemory     = "Redis is nearly full: all new orders are refused"
	ReasonNoWorker   = "no worker is alive"
	ReasonQueuesFull = "the queues are full"
)

// signsLost is the share of its memory, in percent, from which Redis may refuse the
// signs of life of workers: a worker that works on then seems to be gone.
const signsLost = 95

// Admits reports whether new orders of the queue are accepted at this use of memory.
func (m Memory) Admits(q order.Queue) bool {
	return m.Limit <= 0 || m.Used <= m.Limit/100*q.Spec().MemoryPercent
}

// Facts is what decides whether orders are taken and worked.
type Facts struct {
	// Unusable is why this process cannot use its Redis; nil if it can.
	Unusable error
	// Unread is what the attempt to read the snapshot ended with; nil if it was read.
	Unread error
	// Snapshot is what was read.
	Snapshot
	// MaxBacklog is how many orders may wait; 0 for no limit.
	MaxBacklog int64
}

// Reason returns why orders are not taken or not worked, or nothing. It is the one
// function that ranks what is wrong: a cause comes before its effects. Redis comes
// first, then its memory, then the workers, whose signs of life are kept in Redis,
// and last the queues, which fill when nobody works.
func (f Facts) Reason() string {
	switch {
	case f.Unusable != nil:
		return f.Unusable.Error()
	case errors.Is(f.Unread, order.ErrUnavailable):
		return ReasonRedisAway
	case f.Unread != nil:
		return ReasonUnreadable
	case !slices.ContainsFunc(order.Queues(), f.Memory.Admits):
		return ReasonMemory
	case f.Slots == 0:
		return ReasonNoWorker
	case f.MaxBacklog > 0 && f.Backlog() >= f.MaxBacklog:
		return ReasonQueuesFull
	default:
		return ""
	}
}

// FleetKnown says whether Fleet says who is alive. Nobody found alive is not known
// while Redis may have refused the signs of life.
func (f Facts) FleetKnown() bool {
	if f.Unread != nil {
		return false
	}
	refused := f.Unusable != nil || f.Memory.Limit > 0 && f.Memory.Used > f.Memory.Limit/100*signsLost
	return f.Slots > 0 || !refused
}
