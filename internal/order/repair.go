package order

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
