// Package worker makes one attempt at an order: decide, begin, fulfil, settle, or ask
// for another attempt.
//
// It receives order ids from the queue, and passes approved orders to fulfilment and
// outcomes to the ledger. It owns nothing. When Work returns nil, the order needs no
// further attempt: its outcome is recorded, or it was cancelled or forgotten. After a
// *order.PermanentError the outcome is recorded, unless the task names no order.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// Records reads orders; see ledger.Ledger.Get.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
}

// Attempts records attempts and outcomes; see the methods of ledger.Ledger.
type Attempts interface {
	Begin(ctx context.Context, c order.Claim) (order.Begun, error)
	Fail(ctx context.Context, c order.Claim, f order.Failure) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
}

// Fulfilment calls the shop about an approved order; see fulfilment.Client.
type Fulfilment interface {
	Fulfil(ctx context.Context, a order.Approval) (note string, err error)
}

// Backoff is how long to wait after the n-th attempt has failed.
type Backoff interface {
	Delay(n int) time.Duration
}

// Config configures a worker.
type Config struct {
	// Name is unique to this process; it is stored with each attempt.
	Name string
	// Rules decide the orders.
	Rules rules.Rules
	// MaxAttempts is how many attempts an order may have; 0 for any number. Attempts after
	// which the shop asked to be called later do not count.
	MaxAttempts int
	// RetryFor is how long after its first attempt an order gets another one.
	RetryFor time.Duration
	// AttemptTimeout bounds one attempt.
	AttemptTimeout time.Duration
	// Backoff is the wait between attempts.
	Backoff Backoff
	// Shop is the host that fulfilment calls, for the log; empty without fulfilment.
	Shop string
	// Log gets a line for each attempt that does not complete its order.
	Log *slog.Logger
}

// Worker makes attempts. It is safe for concurrent use.
type Worker struct {
	Config
	records    Records
	attempts   Attempts
	fulfilment Fulfilment // nil when no fulfilment is configured
}

// New returns a worker. Without a fulfilment, approved orders complete at once.
func New(cfg Config, r Records, a Attempts, f Fulfilment) *Worker {
	return &Worker{Config: cfg, records: r, attempts: a, fulfilment: f}
}

// Work makes one attempt at the order, or none if it has an outcome already.
//
// It returns nil when the order is settled and there is nothing more to do;
// *order.PermanentError when it failed for good; *order.RetryError when another
// attempt is due; and any other error when the attempt could not be recorded, so the
// order must be delivered again.
func (w *Worker) Work(ctx context.Context, id string) error {
	rec, err := w.records.Get(ctx, id)
	switch {
	case errors.Is(err, order.ErrNotFound):
		return &order.PermanentError{Err: err}
	case err != nil:
		return err
	case rec.Status.Settled():
		return nil
	}
	decision := w.Rules.Decide(rec.Order)
	a := attempt{w: w, order: rec.Order, queue: rec.Queue, decision: decision, taken: time.Now(), claim: order.Claim{
		ID: id, Token: rand.Text()[:tokenChars], Worker: w.Name, Handling: decision.Handling, MaxAttempts: w.MaxAttempts,
		CallsShop: decision.Approved && w.fulfilment != nil,
	}}
	return a.run(ctx)
}
