package queue

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
)

// Backoff is the wait between attempts: it doubles from Base up to Max, and the
// upper half of it is random, so that orders which failed together do not come
// back together.
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

// delayOf is when Asynq brings a task back. A worker's verdict says it itself.
func (b Backoff) delayOf(retried int, err error, _ *asynq.Task) time.Duration {
	var retry *order.RetryError
	switch {
	case errors.As(err, &retry) && retry.After > 0:
		return retry.After + toNextSecond
	case errors.Is(err, asynq.ErrLeaseExpired):
		return leaseExpiredDelay
	case errors.As(err, &retry), errors.Is(err, order.ErrUnavailable):
		return b.Delay(retried+1) + toNextSecond
	default:
		return oddDelay
	}
}

// toNextSecond makes up for Asynq cutting times to the second below them: an
// order never comes before it is due, and up to a second later.
const toNextSecond = time.Second - time.Nanosecond

// counts says whether Asynq counts a failure towards its own limit. It counts
// the attempts that the ledger has taken down as failed. Whatever else ends a
// delivery, such as a lost worker or Redis, must not wear the task out: Asynq
// would archive it, and the order would wait for ever.
func counts(err error) bool {
	var retry *order.RetryError
	return errors.As(err, &retry)
}

// archived is an error whose task Asynq must archive, with the reason alone as
// its text.
type archived struct{ error }

// Is implements the contract of errors.Is.
func (a archived) Is(target error) bool { return target == asynq.SkipRetry }
