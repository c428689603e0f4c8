package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"orderprocessor/internal/order"
)

// tokenChars is the length of a token: 80 random bits, unique among the
// deliveries of one order.
const tokenChars = 16

const (
	// minSpread is the least interval over which waits are spread, 2 seconds: the queue
	// returns orders in steps of one second.
	minSpread = 2 * time.Second
	// maxSpread is the largest, 1 minute.
	maxSpread = time.Minute
)

// attempt is one attempt at one order.
type attempt struct {
	w        *Worker
	order    order.Order
	queue    order.Queue
	taken    time.Time // when the worker took the order
	decision order.Decision
	claim    order.Claim
	begun    order.Begun
	called   bool // whether the shop was called
}

// hold keeps the order from the workers.
func (a *attempt) hold(ctx context.Context) error {
	err := persist(ctx, func() error { return a.w.attempts.Hold(ctx, a.order.ID, a.decision) })
	switch {
	case errors.Is(err, order.ErrNotFound):
		return &order.PermanentError{Err: err}
	case err != nil:
		return ignoreSettled(err)
	}
	a.w.Log.InfoContext(ctx, "order held", "order_id", a.order.ID, "rule", a.decision.Rule, "reason", a.decision.Reason)
	return nil
}

// run begins the attempt and carries out the decision.
func (a *attempt) run(ctx context.Context) error {
	err := persist(ctx, func() (err error) {
		a.begun, err = a.w.attempts.Begin(ctx, a.claim)
		return err
	})
	switch {
	case errors.Is(err, order.ErrExhausted):
		return a.giveUp(ctx, errors.New(a.begun.LastError), "", order.ShopNotCalled)
	case errors.Is(err, order.ErrNotFound):
		return &order.PermanentError{Err: err}
	case errors.Is(err, order.ErrHeld):
		return nil
	case err != nil:
		return ignoreSettled(err)
	case a.claim.Outcome != nil:
		a.logSettled(ctx, *a.claim.Outcome)
		return nil
	default:
		return a.fulfil(ctx)
	}
}

// outcome returns the outcome of an attempt that does not call the shop.
func (a *attempt) outcome() *order.Outcome {
	if a.decision.Approved() {
		return &order.Outcome{Status: order.StatusCompleted, Shop: order.ShopAnswered}
	}
	return &order.Outcome{Status: order.StatusRejected, Error: a.decision.Reason}
}

// fulfil calls the shop and records the result.
func (a *attempt) fulfil(ctx context.Context) error {
	note, err := a.call(ctx)
	if err == nil {
		return ignoreSettled(a.settle(ctx, order.Outcome{Status: order.StatusCompleted, Note: note, Shop: order.ShopAnswered}))
	}
	var permanent *order.PermanentError
	if errors.As(err, &permanent) {
		return a.fail(ctx, err, note, order.ShopAnswered)
	}
	if a.begun.Since+time.Since(a.taken) >= a.w.RetryFor {
		return a.fail(ctx, fmt.Errorf("attempts used up after %v: %w", a.w.RetryFor, err), note, shopAfter(err))
	}
	if most := a.w.MaxAttempts; most > 0 && a.begun.Counted >= most && !asksLater(err) {
		return a.giveUp(ctx, err, note, shopAfter(err))
	}
	return a.retry(ctx, err, note)
}

// call runs fulfilment within the attempt's time. A panic in it fails the
// attempt and nothing else.
func (a *attempt) call(ctx context.Context) (note string, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.w.Log.ErrorContext(ctx, "attempt panicked", "order_id", a.order.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("attempt panicked: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, a.w.AttemptTimeout)
	defer cancel()
	a.called = true
	return a.w.fulfilment.Fulfil(ctx, order.Approval{
		Order: a.order, Handling: a.claim.Handling, Attempt: a.begun.Number, ApprovedAt: a.begun.ApprovedAt,
		Again: a.begun.Try > 1,
	})
}

// asksLater reports whether the shop asked to be called later.
func asksLater(err error) bool {
	var retry *order.RetryError
	return errors.As(err, &retry) && retry.Later
}

// shopAfter returns what is known of the shop after a call that failed and may succeed
// later. A call without a verdict, such as one that panicked, may have reached the shop.
func shopAfter(err error) order.Shop {
	var later *order.RetryError
	if errors.As(err, &later) && !later.Unknown {
		return order.ShopNotCalled
	}
	return order.ShopUnknown
}

// giveUp settles an order that has used up its attempts.
func (a *attempt) giveUp(ctx context.Context, cause error, note string, shop order.Shop) error {
	return a.fail(ctx, fmt.Errorf("%d attempts used up: %w", a.begun.Counted, cause), note, shop)
}

// fail settles the order as failed.
func (a *attempt) fail(ctx context.Context, cause error, note string, shop order.Shop) error {
	reason := order.Reason(cause)
	out := order.Outcome{Status: order.StatusFailed, Error: reason, Note: note, Shop: shop}
	if err := a.settle(ctx, out); err != nil {
		return ignoreSettled(err)
	}
	return &order.PermanentError{Err: errors.New(reason)}
}

// retry closes the attempt and asks for another one, no sooner than the shop allows.
func (a *attempt) retry(ctx context.Context, cause error, note string) error {
	delay := a.w.Backoff.Delay(a.begun.Try)
	var asked *order.RetryError
	if errors.As(cause, &asked) && asked.After > 0 {
		delay = max(delay, asked.After) + spread(asked.After)
	}
	reason := order.Reason(cause)
	failure := order.Failure{Error: reason, Note: note, RetryIn: delay, Unknown: shopAfter(cause) == order.ShopUnknown, Later: asksLater(cause)}
	err := persist(ctx, func() error { return a.w.attempts.Fail(ctx, a.claim, failure) })
	if err != nil {
		return ignoreSettled(err)
	}
	a.log(ctx, slog.LevelWarn, "attempt failed", "retry_in", delay.Round(time.Millisecond), "error", reason)
	return &order.RetryError{After: delay, Err: errors.New(reason)}
}

// spread returns a random addition to a wait that the shop asked for, so that orders
// with the same wait do not all return at once. It is below a tenth of the wait, but the
// bound is at least minSpread and at most maxSpread.
func spread(asked time.Duration) time.Duration {
	return rand.N(min(max(asked/10, minSpread), maxSpread)).Truncate(time.Microsecond) //nolint:gosec // jitter needs no secrecy
}

// settle records the outcome.
func (a *attempt) settle(ctx context.Context, out order.Outcome) error {
	err := persist(ctx, func() error { return a.w.attempts.Settle(ctx, a.claim, out) })
	if err != nil {
		return err
	}
	a.logSettled(ctx, out)
	return nil
}

func (a *attempt) logSettled(ctx context.Context, out order.Outcome) {
	a.log(ctx, levelOf(out.Status), "order settled", "status", out.Status, "error", out.Error)
}

// log writes a line about the attempt, with all that tells where to look.
func (a *attempt) log(ctx context.Context, level slog.Level, message string, attrs ...any) {
	if !a.w.Log.Enabled(ctx, level) {
		return
	}
	a.w.Log.Log(ctx, level, message, append([]any{
		"order_id", a.order.ID, "attempt", a.begun.Number, "queue", a.queue, "worker_id", a.w.Name, "shop", a.w.Shop,
		"duration_ms", time.Since(a.taken).Milliseconds(),
	}, attrs...)...)
}

// ignoreSettled drops the error for an order that another delivery has settled: that
// outcome counts, and this delivery only has to be acknowledged.
func ignoreSettled(err error) error {
	if errors.Is(err, order.ErrSettled) {
		return nil
	}
	return err
}

// levelOf keeps completed orders out of the log: at full throughput they would be
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
