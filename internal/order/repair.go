package order

import "time"

// MaxWorkersLost is how many workers an order may lose, one attempt each, before it
// fails: a poison order would otherwise kill one worker after another.
const MaxWorkersLost = 3

// ReasonNoResult is the error of an attempt that was still open when the next one began:
// its worker was stopped or lost, or could not reach Redis.
const ReasonNoResult = "the attempt ended without a result"

// ReasonWorkerLost is the error of an attempt whose worker is gone.
const ReasonWorkerLost = "worker was lost"

// LostAttempt is an attempt whose worker is gone.
type LostAttempt struct {
	// Number is the attempt's.
	Number int
	// SeenAt is when the worker was found to be gone, by the clock of Redis. An attempt
	// that began later is another worker's.
	SeenAt time.Time
	// WithCandidate is true if the worker also held another poison candidate, which may
	// be what killed it.
	WithCandidate bool
}

// Loss is the effect of a lost worker on its order.
type Loss struct {
	// Ended is true if the attempt was open and is no longer.
	Ended bool
	// Failed is true if the order failed with the attempt.
	Failed bool
	// WorkersLost counts the workers that the order has lost since its acceptance or last
	// retry.
	WorkersLost int
}

// Repair is a kind of repair: one thing that a crash left behind and that recovery
// repaired.
type Repair string

// The kinds of repairs.
const (
	// RepairMissingTask is an unsettled order without a task, or with an archived one: it
	// was enqueued again.
	RepairMissingTask Repair = "missing_task"
	// RepairOrphan is an order whose worker was gone: it was requeued.
	RepairOrphan Repair = "orphan"
	// RepairPoisonOrder is an order that lost MaxWorkersLost workers, the last one in
	// quarantine: it failed.
	RepairPoisonOrder Repair = "poison_order"
	// RepairCorruptTask is a task that could not be decoded: it was taken off its queue
	// and stored for inspection.
	RepairCorruptTask Repair = "corrupt_task"
	// RepairStaleTask is a task whose order was settled or forgotten: it was removed.
	RepairStaleTask Repair = "stale_task"
	// RepairReindexed is an order in a wrong index or in none, or a gauge that did not
	// match: indexes and gauges were rebuilt from the records.
	RepairReindexed Repair = "reindexed"
)

// Repairs returns all kinds, in the order in which they are shown.
func Repairs() []Repair {
	return []Repair{
		RepairMissingTask, RepairOrphan, RepairPoisonOrder, RepairCorruptTask, RepairStaleTask, RepairReindexed,
	}
}
