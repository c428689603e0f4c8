package order

import (
	"errors"
	"strings"
	"time"
)

// The conditions that every part of the service knows by name. They are
// wrapped with the operation and its subject, so inspect them with errors.Is.
var (
	// ErrNotFound means that the ledger has no such order, or no longer.
	ErrNotFound = errors.New("order not found")
	// ErrConflict means that the id already belongs to an order with other
	// content.
	ErrConflict = errors.New("order id already used with other content")
	// ErrSettled means that the order already has its outcome.
	ErrSettled = errors.New("order is already settled")
	// ErrStale means that a newer delivery holds the order.
	ErrStale = errors.New("attempt is no longer the order's current one")
	// ErrDecided means that another delivery has decided the order in this run, or that the
	// run in which it was decided is over.
	ErrDecided = errors.New("order is already decided")
	// ErrHeld means that the order waits for a person to release it.
	ErrHeld = errors.New("order is held")
	// ErrNoRules means that there is no such version of the rules.
	ErrNoRules = errors.New("no such version of the rules")
	// ErrTooManyRules means that there are MaxRuleSets rule sets.
	ErrTooManyRules = errors.New("too many rule sets are stored")
	// ErrNoJob means that there is no such job, or no longer.
	ErrNoJob = errors.New("no such job")
	// ErrTooManyJobs means that MaxRunningJobs jobs have not ended.
	ErrTooManyJobs = errors.New("too many jobs run")
	// ErrJobEnded means that the job has ended.
	ErrJobEnded = errors.New("job has ended")
	// ErrNotItsTurn means that the job may not change the order now: it is paused or has
	// ended, has changed as many orders as it may for now, or has come further.
	ErrNotItsTurn = errors.New("it is not the turn of the job")
	// ErrExhausted means that the order has no attempt left.
	ErrExhausted = errors.New("order has used up its attempts")
	// ErrUnreadable means that a record has a format that this version cannot read.
	ErrUnreadable = errors.New("record cannot be read")
	// ErrCorrupt means that the task of the order cannot be decoded, so that
	// no worker can work it.
	ErrCorrupt = errors.New("task cannot be decoded")
	// ErrUnavailable means that Redis, or the archive, did not answer. A write may have been
	// applied, and repeating it is safe.
	ErrUnavailable = errors.New("redis is unavailable")
)

// The reasons of a BusyError, as clients read them.
const (
	// BusyQueues: the limit of waiting orders is reached.
	BusyQueues = "too many orders are waiting"
	// BusyMemory: Redis uses more memory than QueueSpec.MemoryPercent allows.
	BusyMemory = "Redis is nearly full"
	// BusyAccepting: the limit of concurrent submissions is reached.
	BusyAccepting = "too many are being accepted at this moment"
	// BusyBatches: the limit of concurrent batch requests is reached.
	BusyBatches = "too many batches arrive at once"
)

// BusyError means that nothing was done because there is no room.
type BusyError struct {
	// Queue is the queue in which the order would wait; empty for a whole batch.
	Queue Queue
	// Reason is one of the texts above.
	Reason string
	// RetryAfter is how long the client should wait, in whole seconds.
	RetryAfter time.Duration
}

// Error implements error.
func (e *BusyError) Error() string { return "no room for more orders: " + e.Reason }

// UncertainError means that Redis did not answer, so an order whose id intake made may
// be recorded. Repeated with that id, the order is accepted once; without it, the order
// may be accepted twice.
type UncertainError struct {
	// ID is the order's.
	ID string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *UncertainError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UncertainError) Unwrap() error { return e.Err }

// ForgottenError means that an order with this id and content was accepted earlier, and
// has left the ledger since.
type ForgottenError struct {
	// AcceptedAt is when.
	AcceptedAt time.Time
}

// Error implements error.
func (e *ForgottenError) Error() string {
	return "order was accepted at " + e.AcceptedAt.Format(time.RFC3339) + " and is no longer kept"
}

// StatusError means that the order's status does not allow what was asked for.
type StatusError struct {
	// Status is the order's status.
	Status Status
	// Unknown means that the status would allow it, but the shop may have accepted the
	// order; only the shop's next answer can decide.
	Unknown bool
}

// Error implements error.
func (e *StatusError) Error() string {
	if e.Unknown {
		return "order is " + string(e.Status) + " and the shop may have accepted it"
	}
	return "order is " + string(e.Status)
}

// Code names one kind of problem with a field, for programs.
type Code string

// The codes of a FieldError.
const (
	// CodeRequired means the field is absent or empty.
	CodeRequired Code = "required"
	// CodeInvalid means the value has a form that is not allowed.
	CodeInvalid Code = "invalid"
	// CodeOutOfRange means the number is too small or too large.
	CodeOutOfRange Code = "out_of_range"
	// CodeTooPrecise means an amount has more decimals than its currency.
	CodeTooPrecise Code = "too_precise"
	// CodeTooLong means the text has too many characters.
	CodeTooLong Code = "too_long"
	// CodeTooMany means the list has too many members.
	CodeTooMany Code = "too_many"
	// CodeWrongType means the JSON type is not the field's.
	CodeWrongType Code = "wrong_type"
	// CodeUnknownField means no field has this name.
	CodeUnknownField Code = "unknown_field"
)

// FieldError is one problem with one field of a submission.
type FieldError struct {
	// Field is the path to the value, as in "items[3]".
	Field string `json:"field"`
	// Code names the kind of problem for programs.
	Code Code `json:"code"`
	// Message explains it for people; it continues a sentence that begins with the
	// field's name.
	Message string `json:"message"`
}

// InvalidError is a submission that cannot become an order. It is the
// caller's fault and repeating the submission cannot help.
type InvalidError struct {
	// Problems lists every problem; it is never empty.
	Problems []FieldError
}

// Error joins all problems into one line.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Field + " " + p.Message
	}
	return "invalid order: " + strings.Join(parts, "; ")
}

// PermanentError means that an attempt failed and repeating it cannot help.
type PermanentError struct {
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *PermanentError) Unwrap() error { return e.Err }

// RetryError means that an attempt failed but may succeed later.
type RetryError struct {
	// After is how long to wait at least; zero leaves it to the retry policy.
	After time.Duration
	// Unknown means that the shop may have accepted the order: the call may have reached
	// it, and no answer says that it refused.
	Unknown bool
	// Later means that the shop asked to be called later. It says nothing about the order,
	// so the attempt does not count.
	Later bool
	// Status is the HTTP status of the answer; 0 without one.
	Status int
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RetryError) Unwrap() error { return e.Err }
