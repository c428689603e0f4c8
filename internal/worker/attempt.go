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
	"orderprocessor/internal/rules"
)

// tokenChars is the length of a token: 80 random bits, unique among the
// deliveries of one order.
const tokenChars = 16

const (
	// minSpread is over how long the shortest waits are spread, 2 seconds: the
	// queue brings orders back in steps of one.
	minSpread = 2 * time.Second
	// maxSpread is over how long the longest are, 1 minute.
	maxSpread = time.Minute
)

// attempt is one try at one order.
type attempt struct {
	w        *Worker
	order    order.Order
	decision rules.Decision
	claim    order.Claim
	begun    order.Begun
}

// run begins the attempt and does what was decided.
func (a *attempt) run(ctx context.Context) error {
	err := persist(ctx, func() (err error) {
		a.begun, err = a.w.books.Begin(ctx, a.claim)
		return err
	})
	switch {
	case errors.Is(err, order.ErrExhausted):
		return a.giveUp(ctx, errors.New(a.begun.LastError), "", order.ShopNotCalled)
	case errors.Is(err, order.ErrNotFound):
		return &order.PermanentError{Err: err}
	case err != nil:
		return acknowledge(err)
	case !a.decision.Approved:
		return acknowledge(a.settle(ctx, order.Outcome{Status: order.StatusRejected, Error: a.decision.Reason}))
	default:
		return a.fulfil(ctx)
	}
}

// fulfil hands the order over and writes down what came of it.
func (a *attempt) fulfil(ctx context.Context) error {
	note, err := a.call(ctx)
	if err == nil {
		return acknowledge(a.settle(ctx, order.Outcome{Status: order.StatusCompleted, Note: note, Shop: order.ShopAnswered}))
	}
	var permanent *order.PermanentError
	if errors.As(err, &permanent) {
		return a.fail(ctx, err, note, order.ShopAnswered)
	}
	if a.begun.Try >= a.w.MaxAttempts {
		return a.giveUp(ctx, err, note, shopAfter(err))
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
			a.w.Log.ErrorContext(ctx, "attempt panicked", "order_id", a.order.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("attempt panicked: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, a.w.AttemptTimeout)
	defer cancel()
	return a.w.fulfilment.Fulfil(ctx, order.Approval{
		Order: a.order, Handling: a.claim.Handling, Attempt: a.begun.Number, ApprovedAt: a.begun.ApprovedAt,
	})
}

// shopAfter is what is known of the shop after a call that failed and may succeed
// later. A call that ended in no verdict at all, such as one that panicked, may have
// reached the shop.
func shopAfter(err error) order.Shop {
	var later *order.RetryError
	if errors.As(err, &later) && !later.Unknown {
		return order.ShopNotCalled
	}
	return order.ShopUnknown
}

// giveUp settles an order that has used up its attempts.
func (a *attempt) giveUp(ctx context.Context, cause error, note string, shop order.Shop) error {
	return a.fail(ctx, fmt.Errorf("%d attempts used up: %w", a.begun.Try, cause), note, shop)
}

// fail settles the order as failed.
func (a *attempt) fail(ctx context.Context, cause error, note string, shop order.Shop) error {
	reason := order.Reason(cause)
	out := order.Outcome{Status: order.StatusFailed, Error: reason, Note: note, Shop: shop}
	if err := a.settle(ctx, out); err != nil {
		return acknowledge(err)
	}
	return &order.PermanentError{Err: errors.New(reason)}
}

// retry closes the attempt and asks for another one, no sooner than the shop
// asked for.
func (a *attempt) retry(ctx context.Context, cause error, note string) error {
	delay := a.w.Backoff.Delay(a.begun.Try)
	var asked *order.RetryError
	if errors.As(cause, &asked) && asked.After > 0 {
		delay = max(delay, asked.After) + spread(asked.After)
	}
	reason := order.Reason(cause)
	failure := order.Failure{Error: reason, Note: note, RetryIn: delay, Unknown: shopAfter(cause) == order.ShopUnknown}
	err := persist(ctx, func() error { return a.w.books.Fail(ctx, a.claim, failure) })
	if err != nil {
		return acknowledge(err)
	}
	a.w.Log.WarnContext(ctx, "attempt failed", "order_id", a.order.ID, "attempt", a.begun.Number,
		"retry_in", delay.Round(time.Millisecond), "error", reason)
	return &order.RetryError{After: delay, Err: errors.New(reason)}
}

// spread is what is added to a wait that the shop asked for, so that orders told
// to come back at the same time do not: at random up to a tenth of the wait, at
// least up to minSpread and at most up to maxSpread.
func spread(asked time.Duration) time.Duration {
	return rand.N(min(max(asked/10, minSpread), maxSpread)).Truncate(time.Microsecond) //nolint:gosec // jitter needs no secrecy
}

// settle writes the outcome down.
func (a *attempt) settle(ctx context.Context, out order.Outcome) error {
	err := persist(ctx, func() error { return a.w.books.Settle(ctx, a.claim, out) })
	if err != nil {
		return err
	}
	a.w.Log.Log(ctx, levelOf(out.Status), "order settled",
		"order_id", a.order.ID, "status", out.Status, "attempt", a.begun.Number, "error", out.Error)
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
