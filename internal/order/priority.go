package order

// Priority says how urgent the client finds an order.
type Priority int

// The priorities a client may ask for.
const (
	// PriorityHigh waits in the critical queue and is expedited.
	PriorityHigh Priority = 1
	// PriorityMedium is what an order has when its client says nothing.
	PriorityMedium Priority = 2
	// PriorityLow waits in the low queue.
	PriorityLow Priority = 3
)

// Queue names one of the three queues that an order can wait in.
type Queue string

// The queues, most urgent first.
const (
	// QueueCritical holds orders of high priority or high value.
	QueueCritical Queue = "critical"
	// QueueDefault holds orders of medium priority.
	QueueDefault Queue = "default"
	// QueueLow holds orders of low priority.
	QueueLow Queue = "low"
)

// Queues lists all queues, most urgent first.
func Queues() []Queue { return []Queue{QueueCritical, QueueDefault, QueueLow} }
