package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// firstBackoff is the longest wait before the second attempt; it doubles with
	// each attempt, up to maxBackoff.
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 10 * time.Second
	// maxRetryAfter bounds the wait that the API can ask for.
	maxRetryAfter = 2 * time.Minute
	// reachAttempts covers an API that is just starting.
	reachAttempts = 3
	// requestAttempts is how often a repeatable request is sent: enough for a
	// restart of the API, and an API that is down is reported within two seconds.
	requestAttempts = 4
)

// RetryPolicy is how often a request is sent while the API is unreachable or busy.
type RetryPolicy struct {
	// Attempts bounds the requests. The first RateLimited of those that the API
	// answers with 429 do not count.
	Attempts, RateLimited int
	// Stop ends a wait when it is closed, but no request. It may be nil.
	Stop <-chan struct{}
	// OnWait is called before each wait. It may be nil.
	OnWait func(why error, d time.Duration)
}

// run calls try until it succeeds, fails for good, or the policy is exhausted. It
// waits as long as the API asks, and longer from attempt to attempt. It returns
// the last error, or ErrInterrupted if a wait ended early.
func (p RetryPolicy) run(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || !Temporary(err) {
			return err
		}
		if p.RateLimited > 0 && RateLimited(err) {
			p.RateLimited--
			p.Attempts++
		}
		if n >= p.Attempts {
			return err
		}
		d := backoff(n, err)
		if p.OnWait != nil {
			p.OnWait(err, d)
		}
		if err := wait(ctx, p.Stop, d); err != nil {
			return err
		}
	}
}

// backoff is the wait after the n-th attempt. Half of it is random, so that
// requests which failed together do not return together.
func backoff(n int, err error) time.Duration {
	d := firstBackoff
	for i := 1; i < n && d < maxBackoff; i++ {
		d *= 2
	}
	d = min(d, maxBackoff)
	d -= rand.N(d / 2) //nolint:gosec // jitter needs no secrecy
	var response *ResponseError
	if errors.As(err, &response) {
		d = max(d, min(response.RetryAfter, maxRetryAfter))
	}
	return d
}

// Wait returns after the time, or ErrInterrupted when ctx ends first.
func Wait(ctx context.Context, d time.Duration) error { return wait(ctx, nil, d) }

func wait(ctx context.Context, stop <-chan struct{}, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ErrInterrupted
	case <-stop:
		return ErrInterrupted
	case <-time.After(d):
		return nil
	}
}
