// Package queue is the hand-over: the API puts an accepted order in at one end,
// a worker takes it out at the other.
//
// It receives records from intake and reconcile, and hands order ids to the
// worker. It owns the Asynq tasks, one per waiting order and named after it,
// and all that Asynq keeps below asynq: in Redis. When Enqueue returns without
// an error, the order's task is in Redis. A delivery that ends, in whatever
// way, acknowledges last: a crash before that brings the order back. So every
// order is delivered at least once, and now and then twice.
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
	// taskGrace is how much longer than an attempt a task may run, so that a
	// worker whose attempt ran out of time can still write that into the books
	// before Asynq gives the task away.
	taskGrace = 15 * time.Second
	// taskRetries is how often Asynq may bring a task back by its own count. It
	// is out of reach, as a run of an order has at most 100 attempts: the ledger counts
	// them and ends an order that has used them up, and Asynq must never archive
	// a task without asking.
	taskRetries = 1000
	// checkInterval is how long a lane pauses that found no task in all its queues.
	// It waits for one when it asks, so this need not spare Redis.
	checkInterval = time.Millisecond
	// abortTimeout is how long a handler may take to notice that its context has
	// ended when the consumer stops.
	abortTimeout = 2 * time.Second
	// forwardInterval is how often Asynq looks for tasks that have become due;
	// it keeps their times in whole seconds.
	forwardInterval = 500 * time.Millisecond
	// oddDelay is the wait after a delivery that ended without a verdict although
	// Redis answers. Nobody counts these, so they must not come often.
	oddDelay = 30 * time.Second
	// leaseExpiredDelay is the wait before an order of a lost worker is tried
	// again: it has waited for its lease already.
	leaseExpiredDelay = time.Second
)

// Payload is what a task carries: enough for an operator to recognise the
// order in Asynqmon, and nothing personal. The worker reads the record.
type Payload struct {
	OrderID    string          `json:"order_id"`
	Amount     order.Money     `json:"amount"`
	Items      int             `json:"items"`
	Priority   order.Priority  `json:"priority"`
	AcceptedAt order.Timestamp `json:"accepted_at"`
}

func encodePayload(rec order.Record) ([]byte, error) {
	payload, err := json.Marshal(Payload{
		OrderID: rec.ID, Amount: rec.Amount, Items: len(rec.Items), Priority: rec.Priority,
		AcceptedAt: order.Timestamp{Time: rec.CreatedAt},
	})
	if err != nil {
		return nil, fmt.Errorf("encode task of order %s: %w", rec.ID, err)
	}
	return payload, nil
}
