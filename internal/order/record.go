package order

import "time"

// Record is everything the ledger knows of one order: the order itself and
// what has happened to it so far. All times are UTC, by the clock of Redis. Its JSON, with
// its attempts and its decision, is what the archive stores, so the names never change,
// and a field that is added has a name here.
type Record struct {
	Order
	// Status is where the order is now.
	Status Status `json:"status,omitzero"`
	// Queue is the queue in which it waits or waited.
	Queue Queue `json:"queue,omitzero"`
	// Handling is what the rules decided; empty before the first attempt, and for a
	// rejected order.
	Handling Handling `json:"handling,omitzero"`
	// Decision is what the rules decided in this run; nil before the first attempt, and for
	// orders that were decided before decisions were kept.
	Decision *Decision `json:"decision,omitzero"`
	// Released means that a person, or the expiry of the hold, has released the order.
	Released bool `json:"released,omitzero"`
	// TraceID is that of the Entry.
	TraceID string `json:"trace_id,omitzero"`
	// HeldAt is when a held order was held; zero for other orders.
	HeldAt time.Time `json:"held_at,omitzero"`
	// HeldUntil is when the hold of a held order expires; zero when it does not.
	HeldUntil time.Time `json:"held_until,omitzero"`
	// CreatedAt is when the order was accepted.
	CreatedAt time.Time `json:"created_at,omitzero"`
	// NextAttemptAt is when a retrying order is due; zero otherwise.
	NextAttemptAt time.Time `json:"next_attempt_at,omitzero"`
	// ProcessedAt is when the order reached its outcome; zero before.
	ProcessedAt time.Time `json:"processed_at,omitzero"`
	// Error is why the last attempt failed or the rules rejected the order; empty for a
	// completed order.
	Error string `json:"error,omitzero"`
	// CancelReason is the reason given by whoever cancelled the order, up to
	// MaxReasonChars; it may be empty.
	CancelReason string `json:"cancel_reason,omitzero"`
	// WorkersLost counts the attempts since the last retry whose worker was lost.
	WorkersLost int `json:"workers_lost,omitzero"`
	// Attempts are the attempts at this order, oldest first: at most MaxAttemptsKept of
	// them, the first since the order was accepted or last retried and the newest ones.
	Attempts []Attempt `json:"attempts,omitzero"`
}

// Accepted returns the record as it was when the order was accepted.
func (r Record) Accepted() Record {
	status := StatusPending
	if r.ProcessAt.After(r.CreatedAt) {
		status = StatusScheduled
	}
	return Record{Order: r.Order, Status: status, Queue: r.Queue, CreatedAt: r.CreatedAt, TraceID: r.TraceID}
}

// The bounds of a record.
const (
	// MaxAttemptsKept is how many attempts a record keeps.
	MaxAttemptsKept = 100
	// MaxReasonChars bounds the reason of a cancel. That is at most 1,000 bytes, which
	// are stored whole.
	MaxReasonChars = 250
)

// Entry is an order to be recorded.
type Entry struct {
	Order
	// Queue is the queue in which it will wait.
	Queue Queue
	// TraceID is the trace of its submission, 32 hex digits; empty without one.
	TraceID string
}

// Acceptance is what became of one Entry.
type Acceptance struct {
	// Record is the order's record; the earlier one if the order was known.
	Record Record
	// IsNew is whether the order was not known before.
	IsNew bool
	// Err is why the order was not accepted; nil when it was, now or earlier.
	Err error
}

// Attempt is one numbered run of a worker at an order.
type Attempt struct {
	// Number counts from one.
	Number int `json:"number,omitzero"`
	// Worker names the process.
	Worker string `json:"worker,omitzero"`
	// StartedAt is when the worker began.
	StartedAt time.Time `json:"started_at,omitzero"`
	// EndedAt is when it settled the order or failed; zero while it runs.
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Error is why the attempt failed; empty if it did not, and for a rejection, which is
	// a decision.
	Error string `json:"error,omitzero"`
	// Note is what fulfilment answered, up to MaxNoteBytes; empty without one.
	Note string `json:"note,omitzero"`
}

// MaxNoteBytes bounds texts from outside, such as fulfilment's answer, before
// they are stored.
const MaxNoteBytes = 1024

// Begun is an attempt that the ledger has opened.
type Begun struct {
	// Number counts the attempts at the order over its whole life, from one.
	Number int
	// Try counts the attempts since the order was accepted or last retried.
	Try int
	// Counted counts those of them after which the shop did not ask to be called later.
	Counted int
	// ApprovedAt is when the first attempt since then began.
	ApprovedAt time.Time
	// Since is how long before this attempt the first one began.
	Since time.Duration
	// LastError is why the last attempt failed, for an order that has no attempt left.
	LastError string
}

// Approval is an order that the rules approved, on its way to the shop.
type Approval struct {
	// Order is the order.
	Order Order
	// Handling is what the rules decided.
	Handling Handling
	// ApprovedAt is when the first attempt since the order was accepted or last
	// retried began: the same for each attempt, by the clock of Redis.
	ApprovedAt time.Time
	// Attempt is the number of the attempt, from one.
	Attempt int
	// Again means that an attempt since the order was accepted or last retried has failed.
	Again bool
}

// Outcome is the end of an order, as a worker reports it to the ledger.
type Outcome struct {
	// Status is completed, rejected or failed.
	Status Status
	// Error is the reason of a rejection or failure; empty when completed.
	Error string
	// Note is what fulfilment answered, up to MaxNoteBytes.
	Note string
	// Shop is what is known of the shop after the last attempt.
	Shop Shop
}

// Shop is what an attempt shows about whether the shop has accepted the order.
type Shop string

// The values of a Shop, as the books keep them.
const (
	// ShopNotCalled means that the attempt did not reach the shop, or that the shop asked
	// to be called again. What was known before the attempt still holds.
	ShopNotCalled Shop = ""
	// ShopUnknown means that the shop may have accepted the order: the call may have
	// reached it, and no answer came.
	ShopUnknown Shop = "1"
	// ShopAnswered means that the shop has accepted the order or refused it for good.
	ShopAnswered Shop = "0"
)

// Failure is the end of an attempt without an outcome, as a worker reports it to the
// ledger.
type Failure struct {
	// Error is why the attempt failed.
	Error string
	// Note is what fulfilment answered, up to MaxNoteBytes.
	Note string
	// RetryIn is the time until the next attempt.
	RetryIn time.Duration
	// Unknown means that the shop may have accepted the order.
	Unknown bool
	// Later means that the shop asked to be called later, so that the attempt does not
	// count towards Claim.MaxAttempts.
	Later bool
}

// The result texts, as clients of the first version of this service know them.
const (
	resultStandard  = "Order processing completed"
	resultPriority  = "Order marked for priority processing"
	resultExpedited = "Order expedited due to high priority"
	resultFailed    = "Order processing failed"
)

// Result returns the sentence that describes the outcome to clients. It is empty until
// there is one, and for a cancelled order, which was never processed.
func (r Record) Result() string {
	switch r.Status {
	case StatusCompleted:
		return r.Handling.result()
	case StatusRejected, StatusFailed:
		return resultFailed
	default:
		return ""
	}
}

func (h Handling) result() string {
	switch h {
	case HandlingPriority:
		return resultPriority
	case HandlingExpedited:
		return resultExpedited
	default:
		return resultStandard
	}
}

// Claim is a worker's hold on an order during an attempt.
type Claim struct {
	// ID is the order's.
	ID string
	// Token is unique to one delivery of the order. The ledger accepts reports from the
	// newest delivery only.
	Token string
	// Worker names the process.
	Worker string
	// Handling is what the rules decided; empty for a rejected order.
	Handling Handling
	// MaxAttempts is how many attempts an order may have; 0 for any number.
	MaxAttempts int
	// Decision is what the rules decided, if this is the first attempt since the order was
	// accepted or last retried; nil if the ledger has the decision.
	Decision *Decision
	// Decided means that the run of the record was decided, or begun, when it was read. The
	// order may have been retried since.
	Decided bool
	// CallsShop means that the attempt may call the shop. If no result of such an attempt
	// is reported, the shop may have accepted the order.
	CallsShop bool
	// Outcome ends the attempt as soon as it has begun, in the same write, as there is nothing
	// to do; its note is not kept. Nil for an attempt that calls the shop.
	Outcome *Outcome
}

// Handover is an order on its way to the workers.
type Handover struct {
	// Record is the order's.
	Record Record
	// Trace is the trace that the order was submitted in; its attempts continue it.
	Trace TraceContext
	// NewRun means that the order has just been accepted, retried or released. A task that
	// a worker still holds then belongs to what was before, or to an earlier order with
	// this id.
	NewRun bool
}

// TraceContext names a trace as W3C Trace Context does. The zero value names none.
type TraceContext struct {
	// Parent is the header traceparent.
	Parent string
	// State is the header tracestate.
	State string
}
