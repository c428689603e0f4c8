package order

// Queue names a queue that an order can wait in.
type Queue string

// The queues, most urgent first. QueueSpecs describes each.
const (
	// QueueCritical holds orders of high priority or high value.
	QueueCritical Queue = "critical"
	// QueueDefault holds orders of medium priority.
	QueueDefault Queue = "default"
	// QueueLow holds orders of low priority.
	QueueLow Queue = "low"
)

// QueueSpec describes a queue.
type QueueSpec struct {
	// Name is the queue.
	Name Queue
	// Priority is the priority whose orders wait in the queue, unless a rule chooses
	// another one. Each priority has one queue; zero means that only rules choose it.
	Priority Priority
	// Weight is how often workers ask the queue, relative to the others, unless
	// ORDERS_QUEUE_WEIGHTS is set.
	Weight int
	// MemoryPercent is the share of Redis's maxmemory above which new orders of the
	// queue are refused. Less urgent queues are refused first. It must leave memory
	// free for the work on accepted orders, which needs some, too.
	MemoryPercent int64
}

// QueueSpecs describes every queue, most urgent first. It is the only list of them:
// a new queue is a row here, with a name above.
func QueueSpecs() []QueueSpec {
	return []QueueSpec{
		{Name: QueueCritical, Priority: PriorityHigh, Weight: 6, MemoryPercent: 80},
		{Name: QueueDefault, Priority: PriorityMedium, Weight: 3, MemoryPercent: 70},
		{Name: QueueLow, Priority: PriorityLow, Weight: 1, MemoryPercent: 60},
	}
}

// Queues lists the names of all queues, most urgent first.
func Queues() []Queue {
	specs := QueueSpecs()
	names := make([]Queue, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}

// QueueWeights returns the weight of every queue.
func QueueWeights() map[Queue]int {
	weights := map[Queue]int{}
	for _, s := range QueueSpecs() {
		weights[s.Name] = s.Weight
	}
	return weights
}

// Spec describes the queue. A queue that does not exist has no weight and no memory.
func (q Queue) Spec() QueueSpec {
	for _, s := range QueueSpecs() {
		if s.Name == q {
			return s
		}
	}
	return QueueSpec{Name: q}
}

// Queue is where orders of the priority wait, unless a rule chooses otherwise. It is
// empty for a priority that New refuses.
func (p Priority) Queue() Queue {
	for _, s := range QueueSpecs() {
		if p != 0 && s.Priority == p {
			return s.Name
		}
	}
	return ""
}
