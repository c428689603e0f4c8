// Package queue is the hand-over: the API enqueues an accepted order at one end, a
// worker fetches it at the other.
//
// It receives records from intake and recovery, and hands order ids to the worker. It
// owns the Asynq tasks, one for each waiting order and named after it, and everything
// below asynq: in Redis. When Enqueue returns without an error, the order's task is in
// Redis. A delivery, however it ends, acknowledges last: a crash before that brings the
// order back. So every order is delivered at least once, and occasionally twice.
//
// The hand-over works on plain Asynq servers and clients. Package prefetch makes it
// faster where Asynq is the version that it knows.
package queue

import (
	"encoding/json"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// taskType is the type of every task; Asynqmon shows it.
const taskType = "order"

const (
	// taskGrace is how much longer than an attempt a task may run, so that a worker can
	// still record an attempt that timed out before Asynq ends the task.
	taskGrace = 15 * time.Second
	// taskRetries is how often Asynq retries a task. It is out of reach: the worker decides
	// when an order fails, and Asynq must never archive a task on its own.
	taskRetries = 1_000_000_000
	// abortTimeout is how long a handler may take to return once its context is
	// cancelled.
	abortTimeout = 2 * time.Second
	// forwardInterval is how often Asynq makes due tasks pending; it keeps their times
	// in whole seconds.
	forwardInterval = 500 * time.Millisecond
	// noVerdictDelay is the wait after a delivery that ended without a verdict although
	// Redis answers. These are not counted, so they must not come often.
	noVerdictDelay = 30 * time.Second
	// leaseExpiredDelay is the wait before an order is delivered again whose lease
	// expired, or whose turn did not come: it has waited for that already.
	leaseExpiredDelay = time.Second
)

// Payload is what a task carries: enough for an operator to recognise the order in
// Asynqmon, and nothing personal. The worker reads the record.
type Payload struct {
	OrderID    string          `json:"order_id"`
	Amount     order.Money     `json:"amount"`
	Currency   order.Currency  `json:"currency,omitempty"`
	Items      int             `json:"items"`
	Priority   order.Priority  `json:"priority"`
	AcceptedAt order.Timestamp `json:"accepted_at"`
}

func encodePayload(rec order.Record) ([]byte, error) {
	payload, err := json.Marshal(Payload{
		OrderID: rec.ID, Amount: rec.Amount, Currency: rec.Currency, Items: len(rec.Items), Priority: rec.Priority,
		AcceptedAt: order.Timestamp{Time: rec.CreatedAt},
	})
	if err != nil {
		return nil, fmt.Errorf("encode task of order %s: %w", rec.ID, err)
	}
	return payload, nil
}
