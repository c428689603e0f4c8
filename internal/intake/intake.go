// Package intake does what clients and operators ask for with an order: take it in
// (admit it, record it, queue it), cancel it, or retry it.
//
// It receives valid orders and ids from the API and hands on their records. It
// owns nothing but a count of what waits. When Take or Retry returns a record,
// the order is in the ledger and will reach an outcome, even if its task is not
// in the queue yet: reconcile sees to that. When Cancel returns one, the order
// will never take effect.
package intake

import (
	"context"
	"log/slog"
	"time"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

const (
	// maxGroup is how many orders that come at the same time are taken together at
	// most: a few milliseconds of Redis.
	maxGroup = 100
	// maxWaiting bounds the orders that wait for that.
	maxWaiting = 10_000
	// takeTimeout bounds taking them; their clients do not wait for longer.
	takeTimeout = 1500 * time.Millisecond
)

// Ledger is the books and the records in them.
type Ledger interface {
	Books
	Records
}

// Books takes down what is asked for; see the methods of ledger.Ledger.
type Books interface {
	AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error)
	Cancel(ctx context.Context, id, reason string) (order.Record, error)
	Retry(ctx context.Context, id, token string) (order.Record, error)
}

// Records reads orders; see the methods of ledger.Ledger.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
}

// Queue hands an order over to the workers, and takes it back; see the methods of
// queue.Producer.
type Queue interface {
	EnqueueAll(ctx context.Context, waiting []order.Handover) error
	Withdraw(ctx context.Context, rec order.Record) error
}

// Router chooses the queue of an order.
type Router interface {
	Queue(o order.Order) order.Queue
}

// Intake is safe for concurrent use.
type Intake struct {
	ledger Ledger
	queue  Queue
	router Router
	gate   *Gate
	log    *slog.Logger
	taking *batch.Batcher[submitted, order.Acceptance]
}

// submitted is an order to be taken.
type submitted struct {
	order  order.Order
	made   bool            // its id was made here
	origin context.Context // its trace travels with the order
}

// New returns an intake that asks the gate first.
func New(l Ledger, q Queue, r Router, g *Gate, log *slog.Logger) *Intake {
	in := &Intake{ledger: l, queue: q, router: r, gate: g, log: log}
	in.TakeWithin(takeTimeout)
	return in
}

// TakeWithin bounds taking orders by another time than a second and a half, for a Redis
// that is slow. It must be called before the first order comes.
func (in *Intake) TakeWithin(timeout time.Duration) {
	in.taking = batch.New(
		batch.Config{MaxBatch: maxGroup, MaxWaiting: maxWaiting, Timeout: timeout},
		func(ctx context.Context, group []submitted) ([]order.Acceptance, error) {
			return in.takeAll(ctx, group), nil
		})
}
