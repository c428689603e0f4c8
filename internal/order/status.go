package order

// Status is where an order is in its life. Each constant says what it means and what
// ends it.
type Status string

// The statuses of an order, in the order in which it can meet them.
const (
	// StatusScheduled is accepted, to be worked at a later time. It ends when that time
	// comes, or with a cancel.
	StatusScheduled Status = "scheduled"
	// StatusPending is accepted and waiting in a queue. It ends when a worker begins an
	// attempt, or with a cancel.
	StatusPending Status = "pending"
	// StatusHeld is waiting for a person, as a rule wants one to look first. It ends when
	// somebody releases, rejects or cancels the order, or when the hold expires.
	StatusHeld Status = "held"
	// StatusProcessing is an attempt running with standard handling. It ends with the
	// outcome, or when the attempt fails.
	StatusProcessing Status = "processing"
	// StatusPriorityProcessing is an attempt running with priority handling.
	StatusPriorityProcessing Status = "priority_processing"
	// StatusExpedited is an attempt running with expedited handling.
	StatusExpedited Status = "expedited"
	// StatusRetrying is after a failed attempt, with another one due. It ends when a
	// worker begins that attempt, or with a cancel.
	StatusRetrying Status = "retrying"
	// StatusCompleted is approved and, where fulfilment is configured, accepted by the
	// shop. Final.
	StatusCompleted Status = "completed"
	// StatusRejected is refused by a business rule. Final, unless an operator
	// retries it, after the rules have changed.
	StatusRejected Status = "rejected"
	// StatusFailed is out of attempts, or refused by fulfilment for good. Final,
	// unless an operator retries it.
	StatusFailed Status = "failed"
	// StatusCancelled is withdrawn before it took effect. Final.
	StatusCancelled Status = "cancelled"
)

// Statuses lists every status, in the order in which an order can meet them.
func Statuses() []Status {
	return []Status{
		StatusScheduled, StatusPending, StatusHeld,
		StatusProcessing, StatusPriorityProcessing, StatusExpedited, StatusRetrying,
		StatusCompleted, StatusRejected, StatusFailed, StatusCancelled,
	}
}

// Settled reports whether the status is an outcome.
func (s Status) Settled() bool {
	switch s {
	case StatusCompleted, StatusRejected, StatusFailed, StatusCancelled:
		return true
	default:
		return false
	}
}

// Handling is how the rules want an approved order handled.
type Handling string

// The handlings, from the ordinary to the most urgent.
const (
	// HandlingStandard is what most orders get.
	HandlingStandard Handling = "standard"
	// HandlingExpedited is for orders of high priority that are not of high value.
	HandlingExpedited Handling = "expedited"
	// HandlingPriority is for orders of high value, whatever their priority.
	HandlingPriority Handling = "priority"
)

// Handlings lists every handling, in that order.
func Handlings() []Handling {
	return []Handling{HandlingStandard, HandlingExpedited, HandlingPriority}
}

// Status returns the status of an order while an attempt with this handling
// runs.
func (h Handling) Status() Status {
	switch h {
	case HandlingPriority:
		return StatusPriorityProcessing
	case HandlingExpedited:
		return StatusExpedited
	default:
		return StatusProcessing
	}
}

// Retryable reports whether an operator may retry an order in this status.
func (s Status) Retryable() bool { return s == StatusFailed || s == StatusRejected }
