package order

import "slices"

// Priority is how urgent the client finds an order. Each priority has a row in QueueSpecs.
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

// Name is the word for the priority, empty for one that New refuses.
func (p Priority) Name() string {
	switch p {
	case PriorityHigh:
		return "high"
	case PriorityMedium:
		return "medium"
	case PriorityLow:
		return "low"
	default:
		return ""
	}
}

// Priorities lists the priorities that New accepts, by number.
func Priorities() []Priority {
	var all []Priority
	for _, s := range QueueSpecs() {
		if s.Priority != 0 {
			all = append(all, s.Priority)
		}
	}
	slices.Sort(all)
	return all
}
