package order

import "time"

// MaxWorkersLost is how many workers an order may lose, one attempt each, before
// it fails: an order that ends its worker would otherwise end one after the
// other.
const MaxWorkersLost = 3

// ReasonNoResult is why an attempt failed that was still open when the next one
// began: its worker was stopped or lost, or could not reach Redis.
const ReasonNoResult = "the attempt ended without a result"

// ReasonWorkerLost is why an attempt failed whose worker is gone.
const ReasonWorkerLost = "worker was lost"

// Stray is an order that a worker took off its queue and that nobody works any
// more.
type Stray struct {
	// ID is the order's.
	ID string
	// Queue is where it waited.
	Queue Queue
	// Lease is what the worker said last; a stray that says something else is
	// none any more. Empty when it said nothing.
	Lease string
	// SeenAt is when it was seen to be one, by the clock of Redis.
	SeenAt time.Time
}

// LostAttempt is an attempt whose worker is gone.
type LostAttempt struct {
	// Number is the attempt's.
	Number int
	// SeenAt is when that was seen, by the clock of Redis: an attempt that began
	// later is another worker's.
	SeenAt time.Time
	// BesideSuspect says that the worker held another order that may have ended it.
	BesideSuspect bool
}

// Loss is what became of an attempt whose worker is gone.
type Loss struct {
	// Ended says that the attempt was open and is no longer.
	Ended bool
	// Failed says that the order ended with it.
	Failed bool
	// WorkersLost counts the workers that the order has lost since its last retry.
	WorkersLost int
}

// Parked is a place in a queue that no worker looks at before its time, or ever.
type Parked struct {
	// ID is that of the order whose place it is.
	ID string
	// Queue is the queue.
	Queue Queue
	// ArchivedAt is when the place was archived; zero for one that waits for its
	// time.
	ArchivedAt time.Time
}

// Damaged is a place in a queue that could not be read and was set aside.
type Damaged struct {
	// ID is that of the order whose place it was.
	ID string
	// Queue is the queue.
	Queue Queue
	// SetAsideAt is when it was found.
	SetAsideAt time.Time
	// Message is what was found, up to MaxDamagedBytes of it.
	Message []byte
}

// The bounds of what is set aside.
const (
	// MaxDamaged is how many damaged places a queue keeps, the newest ones.
	MaxDamaged = 1000
	// MaxDamagedBytes is how much is kept of each.
	MaxDamagedBytes = 4096
)

// Repair is a kind of thing that reconcile puts right.
type Repair string

// The kinds of repairs.
const (
	// RepairRequeued is an unsettled order without a place in its queue, or with
	// one that is archived: it was queued again.
	RepairRequeued Repair = "requeued"
	// RepairPutBack is an order whose worker is gone: it went back to its queue.
	RepairPutBack Repair = "put_back"
	// RepairGivenUp is an order that lost MaxWorkersLost workers, the last one alone:
	// it failed.
	RepairGivenUp Repair = "given_up"
	// RepairSetAside is a place in a queue that could not be read.
	RepairSetAside Repair = "set_aside"
	// RepairRemoved is a place in a queue whose order is settled or forgotten.
	RepairRemoved Repair = "removed"
	// RepairReindexed is an order in a wrong index, or in none, or a gauge that did
	// not match: indexes and gauges were made anew from the records.
	RepairReindexed Repair = "reindexed"
)

// Repairs lists all kinds.
func Repairs() []Repair {
	return []Repair{RepairRequeued, RepairPutBack, RepairGivenUp, RepairSetAside, RepairRemoved, RepairReindexed}
}
