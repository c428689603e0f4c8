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
	// ErrSettled means that the order has met its outcome already.
	ErrSettled = errors.New("order is already settled")
	// ErrStale means that a newer attempt has taken the order over.
	ErrStale = errors.New("attempt is no longer the order's current one")
	// ErrExhausted means that the order has had all its attempts.
	ErrExhausted = errors.New("order has used up its attempts")
	// ErrUnreadable means that a record is not of the form that this version
	// writes.
	ErrUnreadable = errors.New("record cannot be read")
	// ErrCorrupt means that the task of the order cannot be decoded, so that
	// no worker can take it.
	ErrCorrupt = errors.New("task cannot be decoded")
	// ErrUnavailable means that Redis could not be asked. Whether a write was
	// applied is unknown, and repeating it is safe.
	ErrUnavailable = errors.New("redis is unavailable")
)

// What there may be too much of for one more order, in words for people.
const (
	// BusyQueues: as many orders wait as may.
	BusyQueues = "too many orders are waiting"
	// BusyMemory: Redis uses as much of its memory as it may for new orders.
	BusyMemory = "Redis is nearly full"
	// BusyAccepting: as many submissions are being accepted as may at a time.
	BusyAccepting = "too many are being accepted at this moment"
	// BusyBatches: as many batches are held at this moment as may.
	BusyBatches = "too many batches arrive at once"
)

// BusyError means that nothing was accepted because there is no room.
type BusyError struct {
	// Reason is one of the texts above.
	Reason string
	// RetryAfter is how long the client should wait, in whole seconds.
	RetryAfter time.Duration
}

// Error implements error.
func (e *BusyError) Error() string { return "no room for more orders: " + e.Reason }

// UncertainError means that Redis could not be asked whether an order was
// recorded whose id was made for it. Sent again with that id, it is accepted
// once; without, it may be accepted twice.
type UncertainError struct {
	// ID is the order's.
	ID string
	// Err says what happened.
	Err error
}

// Error implements error.
func (e *UncertainError) Error() string { return e.Err.Error() }

// Unwrap returns what happened.
func (e *UncertainError) Unwrap() error { return e.Err }

// StatusError is a change that the order's status does not allow.
type StatusError struct {
	// Status is what the order is.
	Status Status
	// Unknown says that the status alone would allow the change: the shop may have
	// taken the order, and nobody knows until it answers.
	Unknown bool
}

// Error implements error.
func (e *StatusError) Error() string {
	if e.Unknown {
		return "order is " + string(e.Status) + " and the shop may have taken it"
	}
	return "order is " + string(e.Status)
}

// Code names one kind of problem with a field, for programs to tell apart.
type Code string

// The codes of a FieldError.
const (
	// CodeRequired means the field is absent or empty.
	CodeRequired Code = "required"
	// CodeInvalid means the value has a form that is not allowed.
	CodeInvalid Code = "invalid"
	// CodeOutOfRange means the number is too small or too large.
	CodeOutOfRange Code = "out_of_range"
	// CodeTooPrecise means the amount has more than two decimals.
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
	// Message explains it for people; it reads on after the field's name.
	Message string `json:"message"`
}

// InvalidError is a submission that cannot become an order. It is the
// caller's fault and repeating the submission cannot help.
type InvalidError struct {
	// Problems lists everything that is wrong; it is never empty.
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

// PermanentError is an attempt that failed in a way no repetition can cure.
type PermanentError struct {
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *PermanentError) Unwrap() error { return e.Err }

// RetryError is an attempt that failed but may succeed later.
type RetryError struct {
	// After is how long to wait at least; zero leaves it to the retry policy.
	After time.Duration
	// Unknown says that the shop may have taken the order: the call may have
	// reached it, and no answer says that it refused.
	Unknown bool
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RetryError) Unwrap() error { return e.Err }
