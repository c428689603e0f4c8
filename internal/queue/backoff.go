package queue

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
)

// Backoff is the wait between attempts: it doubles from Base up to Max, and its upper
// half is random, so that orders that failed together are not retried together.
type Backoff struct {
	// Base is the longest wait after the first failed attempt.
	Base time.Duration
	// Max bounds the wait after any number of failed attempts.
	Max time.Duration
}

// Delay returns the wait after the n-th attempt failed, between half of
// min(Base·2ⁿ⁻¹, Max) and all of it.
func (b Backoff) Delay(n int) time.Duration {
	d := b.Base
	for i := 1; i < n && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d - rand.N(d/2+1) //nolint:gosec // jitter needs no secrecy
}

// retryDelay implements asynq.RetryDelayFunc. The verdict of a worker names the delay.
func (b Backoff) retryDelay(retried int, err error, _ *asynq.Task) time.Duration {
	var retry *order.RetryError
	switch {
	case errors.As(err, &retry) && retry.After > 0:
		return retry.After + toNextSecond
	case errors.Is(err, asynq.ErrLeaseExpired), errors.Is(err, errNotNow):
		return leaseExpiredDelay
	case errors.As(err, &retry), errors.Is(err, order.ErrUnavailable):
		return b.Delay(retried+1) + toNextSecond
	default:
		return noVerdictDelay
	}
}

// toNextSecond compensates for Asynq, which cuts times to whole seconds: an order is
// never delivered before it is due, and up to a second later.
const toNextSecond = time.Second - time.Nanosecond

// isFailure implements the function of asynq.Config by that name: it reports whether an
// error counts towards Asynq's own limit of retries. Only attempts that the ledger
// recorded as failed count. Asynq archives a task beyond the limit, and an order whose
// worker or Redis was lost often would then wait for ever.
func isFailure(err error) bool {
	var retry *order.RetryError
	return errors.As(err, &retry)
}

// archived is an error after which Asynq archives the task, with its text as the reason.
type archived struct{ error }

// Is implements the contract of errors.Is.
func (a archived) Is(target error) bool { return target == asynq.SkipRetry }
