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
	"errors"
	"fmt"
	"log/slog"

	"orderprocessor/internal/order"
)

// Ledger records and reads orders; see the methods of ledger.Ledger.
type Ledger interface {
	Accept(ctx context.Context, o order.Order, q order.Queue) (rec order.Record, isNew bool, err error)
	AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error)
	Get(ctx context.Context, id string) (order.Record, error)
	Cancel(ctx context.Context, id, reason string) (order.Record, error)
	Retry(ctx context.Context, id, token string) (order.Record, error)
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
}

// Queue hands an order over to the workers, and takes it back; see the methods of
// queue.Producer.
type Queue interface {
	Enqueue(ctx context.Context, rec order.Record) (added bool, err error)
	EnqueueAll(ctx context.Context, records []order.Record) error
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
}

// New returns an intake that asks the gate first.
func New(l Ledger, q Queue, r Router, g *Gate, log *slog.Logger) *Intake {
	return &Intake{ledger: l, queue: q, router: r, gate: g, log: log}
}

// Take accepts an order and queues it, and says whether it was new; a repeated
// order gives the record it has. An order without an id is given one.
//
// It returns order.ErrConflict when the id belongs to another order,
// *order.BusyError when there is no room, and order.ErrUnavailable when Redis
// could not be asked: then the order may or may not be recorded, and repeating
// it with its id is safe. For an id that was made, that error is a
// *order.UncertainError, which tells it.
func (in *Intake) Take(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error) {
	if err := in.gate.Admit(); err != nil {
		return in.repeated(ctx, o, err)
	}
	made := o.ID == ""
	if made {
		if o.ID, err = newID(); err != nil {
			in.gate.Leave()
			return order.Record{}, false, err
		}
	}
	rec, isNew, err = in.ledger.Accept(ctx, o, in.router.Queue(o))
	if !isNew {
		in.gate.Leave()
	}
	if made && errors.Is(err, order.ErrUnavailable) {
		err = &order.UncertainError{ID: o.ID, Err: err}
	}
	if err != nil {
		return order.Record{}, false, err
	}
	in.enqueue(ctx, rec)
	// An id made just now is known only if Redis has heard this call twice.
	return rec, isNew || made, nil
}

// repeated answers for an order that the gate did not let in: if it was
// accepted earlier, its client gets the record, as after any other submission.
func (in *Intake) repeated(ctx context.Context, o order.Order, busy error) (order.Record, bool, error) {
	if o.ID == "" {
		return order.Record{}, false, busy
	}
	rec, err := in.ledger.Get(ctx, o.ID)
	switch {
	case err != nil:
		return order.Record{}, false, busy
	case rec.Fingerprint() != o.Fingerprint():
		return order.Record{}, false, fmt.Errorf("accept order %s: %w", o.ID, order.ErrConflict)
	default:
		return rec, false, nil
	}
}

// enqueue asserts the task of an order that waits for a worker or for its time. A failure is no reason to
// refuse the order: it is in the books, and reconcile will find it there.
func (in *Intake) enqueue(ctx context.Context, rec order.Record) {
	if !waits(rec) {
		return
	}
	if _, err := in.queue.Enqueue(ctx, rec); err != nil {
		in.log.Warn("order is recorded but not queued yet; reconcile will queue it", "order_id", rec.ID, "error", err)
	}
}
