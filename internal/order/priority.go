package order

// Priority is how urgent the client finds an order. QueueSpecs says where each waits.
type Priority int

// The priorities a client may ask for.
const (
	// PriorityHigh is expedited.
	PriorityHigh Priority = 1
	// PriorityMedium is the default.
	PriorityMedium Priority = 2
	// PriorityLow may wait longest.
	PriorityLow Priority = 3
)
