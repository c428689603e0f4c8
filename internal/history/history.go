// Package history records what clients did to orders and what they were answered, and
// checks that the answers are explained by the promises of the API.
//
// It receives calls with the times at which they began and ended, and the messages that
// subscribers of GET /events received. Check looks for a sequence in which one order,
// alone, would have given each client its answer, at some moment between call and return;
// an answer that is not known leaves open whether and when the call took effect.
// CheckStream compares what a subscriber received with the calls. Both return the calls
// and events that nothing explains. Nothing is durable after it.
package history

import (
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// Op is what a client asks for.
type Op string

// The operations on one order.
const (
	Submit  Op = "submit"
	Get     Op = "get"
	Cancel  Op = "cancel"
	Retry   Op = "retry"
	Release Op = "release"
	Reject  Op = "reject"
)

// Result is how a call ended.
type Result string

// The results of a call.
const (
	// Unknown is no answer, or one that leaves open whether the call took effect. It may
	// do so at any time after the call.
	Unknown Result = "unknown"
	// Refused is an answer after which nothing has been done, and which says nothing about
	// the order: a request that was never sent, 401, 403, 429, or 503 for lack of room.
	Refused Result = "refused"
	// Created is 201: the order is new.
	Created Result = "created"
	// Replayed is 200 for a submission: the order was recorded before.
	Replayed Result = "replayed"
	// Done is 200 or 202: the order is shown, or the change is made.
	Done Result = "done"
	// NotFound is 404.
	NotFound Result = "not found"
	// OtherContent is 409 or 422: the id, or the key, belongs to an order with other content.
	OtherContent Result = "other content"
	// Conflict is 409: the status of the order does not allow the change.
	Conflict Result = "conflict"
	// InDoubt is 409: the shop may have taken the order.
	InDoubt Result = "in doubt"
	// Unexpected is an answer that the API promises never to give. No history explains it.
	Unexpected Result = "unexpected"
)

// Call is what a client asks for, of one order.
type Call struct {
	Op Op `json:"op"`
	// Order names the order in its history: its id, or the Idempotency-Key of an order
	// that was submitted without an id.
	Order string `json:"order"`
	// ID is the order's id. It is empty for a submission by Idempotency-Key.
	ID string `json:"id,omitempty"`
	// Content identifies what a submission asks for.
	Content string `json:"content,omitempty"`
}

// Answer is what a client is told.
type Answer struct {
	Result Result `json:"result"`
	// ID, Content, Status and Attempts are those of the order that is shown; empty if none
	// is. Attempts is the number of its newest attempt. A Conflict and InDoubt show the
	// status alone.
	ID       string       `json:"shown_id,omitempty"`
	Content  string       `json:"shown_content,omitempty"`
	Status   order.Status `json:"status,omitempty"`
	Attempts int          `json:"attempts,omitempty"`
	// Detail describes an answer that is Unknown, Refused or Unexpected, for people.
	Detail string `json:"detail,omitempty"`
}

// Operation is a call and its answer.
type Operation struct {
	// Client numbers the client.
	Client int `json:"client"`
	Call
	Answer
	// From and To are when the client called and had its answer, since the beginning of
	// the recording. An answer that is Unknown was given up at To.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
}

// String describes the operation in one line.
func (o Operation) String() string {
	return fmt.Sprintf("%9.4f to %9.4f s, client %d: %s", o.From.Seconds(), o.To.Seconds(), o.Client, o.describe())
}

func (o Operation) describe() string {
	text := string(o.Op)
	if o.Op == Submit {
		text += " of " + o.Call.Content
		if o.Call.ID == "" {
			text += " by key"
		}
	}
	text += ": " + string(o.Result)
	if o.Status != "" {
		text += fmt.Sprintf(", %s, attempt %d", o.Status, o.Attempts)
	}
	if o.Answer.Content != "" {
		text += ", content " + o.Answer.Content
	}
	if o.Detail != "" {
		text += " (" + o.Detail + ")"
	}
	return text
}
