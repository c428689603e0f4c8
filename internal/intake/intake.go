// Package intake does what clients and operators ask for with an order: submit it
// (admit, record, enqueue), cancel it, retry it, or release or reject it while it is held.
//
// It receives valid orders and ids from the API and returns their records. It owns
// nothing but its admission. When Submit, Retry or Release returns a record, the order is in
// the ledger and will reach an outcome, even if its task is not in the queue yet:
// recovery enqueues it then. When Cancel returns a record, the order never takes
// effect.
package intake

import (
	"context"
	"log/slog"
	"time"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

const (
	// maxBatch is how many concurrent submissions share one script at most: a few
	// milliseconds of Redis.
	maxBatch = 100
	// maxWaiting bounds the submissions that wait for their batch.
	maxWaiting = 10_000
	// acceptTimeout bounds one batch; clients do not wait longer.
	acceptTimeout = 1500 * time.Millisecond
)

// Ledger records orders and reads them.
type Ledger interface {
	Recorder
	Reader
}

// Recorder writes what clients ask for; see the methods of ledger.Ledger.
type Recorder interface {
	AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error)
	Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Retry(ctx context.Context, id, token string, by order.Intervention) (order.Record, error)
	Release(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error)
}

// Reader reads orders; see the methods of ledger.Ledger.
type Reader interface {
	Get(ctx context.Context, id string) (order.Record, error)
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
}

// Queue hands orders over to the workers, and withdraws them; see the methods of
// queue.Producer.
type Queue interface {
	EnqueueAll(ctx context.Context, waiting []order.Handover) error
	Withdraw(ctx context.Context, rec order.Record) error
}

// Archive has the orders that the ledger has forgotten; see archive.Archive.
type Archive interface {
	Get(ctx context.Context, id string) (order.Record, []order.Event, error)
}

// Router chooses the queue of an order; see rules.Engine.
type Router interface {
	Queue(ctx context.Context, o order.Order) order.Queue
}

// Intake is safe for concurrent use.
type Intake struct {
	ledger    Ledger
	queue     Queue
	router    Router
	admission *Admission
	archive   Archive // or nil
	log       *slog.Logger
	timeout   time.Duration
	batchers  []*batch.Batcher[*job, order.Acceptance] // one for each book
}

// New returns an intake that asks admission before it records an order.
func New(l Ledger, q Queue, r Router, a *Admission, log *slog.Logger) *Intake {
	in := &Intake{ledger: l, queue: q, router: r, admission: a, log: log, timeout: acceptTimeout}
	in.SetBooks(1)
	return in
}

// SetArchive lets Submit and SubmitAll answer the repetition of an order that the ledger
// has forgotten with the record in the archive. It must be called before them.
func (in *Intake) SetArchive(a Archive) { in.archive = a }

// SetTimeout bounds one batch of submissions, 1.5 seconds by default. It must be
// called before the first Submit.
func (in *Intake) SetTimeout(timeout time.Duration) {
	in.timeout = timeout
	in.SetBooks(len(in.batchers))
}

// SetBooks tells how many books the ledger has, 1 by default: concurrent submissions share a
// batch with those of their book, so that a book which does not answer delays no other. It
// must be called before the first Submit.
func (in *Intake) SetBooks(n int) {
	in.batchers = make([]*batch.Batcher[*job, order.Acceptance], n)
	for i := range in.batchers {
		in.batchers[i] = batch.New(
			batch.Config{MaxBatch: maxBatch, MaxWaiting: maxWaiting, Timeout: in.timeout},
			func(ctx context.Context, jobs []*job) ([]order.Acceptance, error) {
				in.accept(ctx, jobs)
				return results(jobs), nil
			})
	}
}
