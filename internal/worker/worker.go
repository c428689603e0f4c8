// Package worker makes one attempt at an order: decide, begin, fulfil, settle,
// and say whether to try again.
//
// It receives order ids from the queue and hands approved orders to fulfilment
// and outcomes to the ledger. It owns nothing. When Work returns nil or a
// *order.PermanentError, the ledger holds the order's outcome.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// Records reads orders; see ledger.Ledger.Get.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
}

// Books takes down attempts and outcomes; see the methods of ledger.Ledger.
type Books interface {
	Begin(ctx context.Context, c order.Claim) (number int, err error)
	Fail(ctx context.Context, c order.Claim, reason, note string, delay time.Duration) error
	Settle(ctx context.Context, c order.Claim, out order.Outcome) error
}

// Fulfilment tells the shop about an approved order; see fulfilment.Client.
type Fulfilment interface {
	Fulfil(ctx context.Context, o order.Order, h order.Handling, attempt int) (note string, err error)
}

// Backoff is the wait after the n-th attempt failed.
type Backoff interface {
	Delay(n int) time.Duration
}

// Config is what a worker needs to know.
type Config struct {
	// Name tells this process from all others; it is kept with each attempt.
	Name string
	// Rules decide the orders.
	Rules rules.Rules
	// MaxAttempts is how many attempts an order may have.
	MaxAttempts int
	// AttemptTimeout bounds one attempt.
	AttemptTimeout time.Duration
	// Backoff is the wait between attempts.
	Backoff Backoff
	// Log receives a line for each attempt that does not complete its order.
	Log *slog.Logger
}

// Worker makes attempts. It is safe for concurrent use.
type Worker struct {
	Config
	records    Records
	books      Books
	fulfilment Fulfilment // nil when no fulfilment is configured
}

// New returns a worker. Without a fulfilment, approved orders complete once the
// rules have passed.
func New(cfg Config, r Records, b Books, f Fulfilment) *Worker {
	return &Worker{Config: cfg, records: r, books: b, fulfilment: f}
}

// Work makes one attempt at the order, or none if it has an outcome already.
//
// It returns nil when the order is settled and there is nothing more to do;
// *order.PermanentError when it failed for good; *order.RetryError when another
// attempt is due; and any other error when the attempt could not be written
// down, so that the order must be delivered again.
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
	a := attempt{w: w, order: rec.Order, claim: order.Claim{
		ID: id, Token: rand.Text()[:tokenChars], Worker: w.Name, Handling: decision.Handling, MaxAttempts: w.MaxAttempts,
	}}
	err = persist(ctx, func() (err error) {
		a.number, err = w.books.Begin(ctx, a.claim)
		return err
	})
	switch {
	case errors.Is(err, order.ErrSettled):
		return nil
	case errors.Is(err, order.ErrNotFound):
		return &order.PermanentError{Err: err}
	case errors.Is(err, order.ErrExhausted):
		return a.giveUp(ctx, errLost, "")
	case err != nil:
		return err
	}
	if !decision.Approved {
		return acknowledge(a.settle(ctx, order.Outcome{Status: order.StatusRejected, Error: decision.Reason}))
	}
	return a.fulfil(ctx)
}

// tokenChars is the length of a token: 80 random bits, unique among the
// deliveries of one order.
const tokenChars = 16

var errLost = errors.New("the worker of the last attempt was lost")

// attempt is one try at one order.
type attempt struct {
	w      *Worker
	order  order.Order
	claim  order.Claim
	number int
}

// fulfil hands the order over and writes down what came of it.
func (a *attempt) fulfil(ctx context.Context) error {
	note, err := a.call(ctx)
	if err == nil {
		return acknowledge(a.settle(ctx, order.Outcome{Status: order.StatusCompleted, Note: note}))
	}
	var permanent *order.PermanentError
	if errors.As(err, &permanent) {
		return a.fail(ctx, err, note)
	}
	if a.number >= a.w.MaxAttempts {
		return a.giveUp(ctx, err, note)
	}
	return a.retry(ctx, err, note)
}

// call runs fulfilment within the attempt's time. A panic in it fails the
// attempt and nothing else.
func (a *attempt) call(ctx context.Context) (note string, err error) {
	if a.w.fulfilment == nil {
		return "", nil
	}
	defer func() {
		if p := recover(); p != nil {
			a.w.Log.Error("attempt panicked", "order_id", a.order.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("attempt panicked: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, a.w.AttemptTimeout)
	defer cancel()
	return a.w.fulfilment.Fulfil(ctx, a.order, a.claim.Handling, a.number)
}

// giveUp settles an order that has used up its attempts.
func (a *attempt) giveUp(ctx context.Context, cause error, note string) error {
	return a.fail(ctx, fmt.Errorf("%d attempts used up: %w", a.number, cause), note)
}

// fail settles the order as failed.
func (a *attempt) fail(ctx context.Context, cause error, note string) error {
	reason := order.Reason(cause)
	if err := a.settle(ctx, order.Outcome{Status: order.StatusFailed, Error: reason, Note: note}); err != nil {
		return acknowledge(err)
	}
	return &order.PermanentError{Err: errors.New(reason)}
}

// retry closes the attempt and asks for another one.
func (a *attempt) retry(ctx context.Context, cause error, note string) error {
	delay := a.w.Backoff.Delay(a.number)
	var asked *order.RetryError
	if errors.As(cause, &asked) {
		delay = max(delay, asked.After)
	}
	reason := order.Reason(cause)
	err := persist(ctx, func() error { return a.w.books.Fail(ctx, a.claim, reason, note, delay) })
	if err != nil {
		return acknowledge(err)
	}
	a.w.Log.Warn("attempt failed", "order_id", a.order.ID, "attempt", a.number, "retry_in", delay, "error", reason)
	return &order.RetryError{After: delay, Err: errors.New(reason)}
}

// settle writes the outcome down.
func (a *attempt) settle(ctx context.Context, out order.Outcome) error {
	err := persist(ctx, func() error { return a.w.books.Settle(ctx, a.claim, out) })
	if err != nil {
		return err
	}
	a.w.Log.Log(ctx, levelOf(out.Status), "order settled",
		"order_id", a.order.ID, "status", out.Status, "attempt", a.number, "error", out.Error)
	return nil
}

// acknowledge makes nothing of an order that another delivery has settled: its
// outcome stands, and this delivery has only to go away.
func acknowledge(err error) error {
	if errors.Is(err, order.ErrSettled) {
		return nil
	}
	return err
}

// levelOf keeps the ordinary out of the log: at full throughput it would be
// thousands of lines per second.
func levelOf(s order.Status) slog.Level {
	switch s {
	case order.StatusCompleted:
		return slog.LevelDebug
	case order.StatusRejected:
		return slog.LevelInfo
	default:
		return slog.LevelError
	}
}
