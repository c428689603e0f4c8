package stats

import (
	"errors"

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

// MemoryShare is how much of its memory Redis may use before no more orders of a
// queue are accepted, in percent: the less urgent go first. At its limit workers
// could not fetch orders either, so much is left free for their work.
func MemoryShare(q order.Queue) int64 {
	switch q {
	case order.QueueLow:
		return 60
	case order.QueueDefault:
		return 70
	default:
		return 80
	}
}

// Admits says whether orders of the queue are accepted at this use of memory.
func (m Memory) Admits(q order.Queue) bool {
	return m.Limit <= 0 || m.Used <= m.Limit/100*MemoryShare(q)
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
	case !f.Memory.Admits(order.QueueCritical): // the last queue that is refused
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
