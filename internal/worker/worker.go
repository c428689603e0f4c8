// Package worker makes one attempt at an order: decide, hold or begin, fulfil, settle, or
// ask for another attempt.
//
// It receives order ids from the queue, and passes approved orders to fulfilment and
// outcomes to the ledger. It owns nothing. When Work returns nil, the order needs no
// further attempt: its outcome is recorded, or it is held, was cancelled or forgotten. After a
// *order.PermanentError the outcome is recorded, unless the task names no order.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"orderprocessor/internal/order"
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
	Hold(ctx context.Context, id string, d order.Decision) error
}

// Rules decide orders; see rules.Engine.
type Rules interface {
	Decide(ctx context.Context, rec order.Record) (order.Decision, error)
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
	Rules Rules
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
	// Uncalled, unless nil, is called when an order that was taken needed no call to the
	// shop, as one that was cancelled.
	Uncalled func()
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

// Work makes one attempt at the order, or none if it is held or has an outcome already.
//
// It returns nil when the order is settled and there is nothing more to do;
// *order.PermanentError when it failed for good; *order.RetryError when another
// attempt is due; and any other error when the attempt could not be recorded, so the
// order must be delivered again.
func (w *Worker) Work(ctx context.Context, id string) error {
	called, err := w.work(ctx, id)
	if errors.Is(err, order.ErrDecided) { // by another delivery since the record was read
		called, err = w.work(ctx, id)
	}
	if err == nil && !called && w.Uncalled != nil {
		w.Uncalled()
	}
	return err
}

// work reports whether it called the shop.
func (w *Worker) work(ctx context.Context, id string) (called bool, err error) {
	rec, err := w.records.Get(ctx, id)
	switch {
	case errors.Is(err, order.ErrNotFound):
		return false, &order.PermanentError{Err: err}
	case err != nil:
		return false, err
	case rec.Status.Settled(), rec.Status == order.StatusHeld:
		return false, nil
	}
	decision, isFirst, err := w.decide(ctx, rec)
	if err != nil {
		return false, err
	}
	a := attempt{w: w, order: rec.Order, queue: rec.Queue, decision: decision, taken: time.Now(), claim: order.Claim{
		ID: id, Token: rand.Text()[:tokenChars], Worker: w.Name, MaxAttempts: w.MaxAttempts,
		CallsShop: decision.Approved() && w.fulfilment != nil, Decided: !isFirst,
	}}
	if decision.Approved() {
		a.claim.Handling = decision.Handling
	}
	if isFirst {
		a.claim.Decision = &decision
	}
	if !a.claim.CallsShop {
		a.claim.Outcome = a.outcome()
	}
	if decision.Action == order.ActionHold {
		return false, a.hold(ctx)
	}
	err = a.run(ctx)
	return a.called, err
}

// decide returns the decision of this run, and whether this is the first attempt, which
// takes it. A released order is approved. A run that an earlier version began has kept no
// decision but the handling.
func (w *Worker) decide(ctx context.Context, rec order.Record) (d order.Decision, isFirst bool, err error) {
	begun := rec.Status != order.StatusPending && rec.Status != order.StatusScheduled
	switch {
	case rec.Decision != nil:
		d = *rec.Decision
		if rec.Released {
			d.Action = order.ActionApprove
		}
		return d, false, nil
	case begun && rec.Handling != "":
		return order.Decision{Action: order.ActionApprove, Handling: rec.Handling}, false, nil
	}
	err = persist(ctx, func() (err error) {
		d, err = w.Rules.Decide(ctx, rec)
		return err
	})
	return d, true, err
}
