package cli

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// retryBase is the longest wait before the second try; it doubles from try
	// to try.
	retryBase = 200 * time.Millisecond
	// retryMax is where the wait stops growing.
	retryMax = 10 * time.Second
	// maxRetryAfter bounds what the API can ask for: the longest wait that it names.
	maxRetryAfter = 2 * time.Minute
)

// patience says how often a request is sent, and what is done about the waits.
type patience struct {
	// tries is how often it is sent; of those over the rate limit, the first limited
	// do not count.
	tries, limited int
	// leave ends a wait when it is closed, but no request; nil is never closed.
	leave <-chan struct{}
	// waits is told why and for how long the next try is waited for, unless it is nil.
	waits func(why error, d time.Duration)
}

// sendPatiently makes a request that is safe to repeat.
func (c *Client) sendPatiently(ctx context.Context, r request) (answer json.RawMessage, err error) {
	_, err = patience{tries: commandTries}.send(ctx, func() (err error) {
		answer, _, err = c.send(ctx, r)
		return err
	})
	return answer, err
}

// send tries, and tries again while the API is away or busy. It waits as long as the
// API asks, or longer from try to try. It returns how many tries there were, and the
// error of the last one, or that a wait was ended.
func (p patience) send(ctx context.Context, try func() error) (n int, err error) {
	for n := 1; ; n++ {
		err := try()
		if err == nil || !passing(err) {
			return n, err
		}
		if p.limited > 0 && overLimit(err) {
			p.limited--
			p.tries++
		}
		if n >= p.tries {
			return n, err
		}
		if err := p.wait(ctx, delay(n, err), err); err != nil {
			return n, err
		}
	}
}

func (p patience) wait(ctx context.Context, d time.Duration, why error) error {
	if p.waits != nil {
		p.waits(why, d)
	}
	return waitUnless(ctx, p.leave, d)
}

// passing says whether the same request may succeed later.
func passing(err error) bool {
	var none *UnreachableError
	var answer *AnswerError
	switch {
	case errors.As(err, &none):
		return true
	case !errors.As(err, &answer):
		return false
	}
	switch answer.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// overLimit says whether the API took no request more for now.
func overLimit(err error) bool {
	var answer *AnswerError
	return errors.As(err, &answer) && answer.Status == http.StatusTooManyRequests
}

// delay is the wait after the n-th try. Half of it is random, so that requests
// which failed together do not come back together.
func delay(n int, err error) time.Duration {
	d := retryBase
	for i := 1; i < n && d < retryMax; i++ {
		d *= 2
	}
	d = min(d, retryMax)
	d -= rand.N(d / 2) //nolint:gosec // jitter needs no secrecy
	var answer *AnswerError
	if errors.As(err, &answer) {
		d = max(d, min(answer.RetryAfter, maxRetryAfter))
	}
	return d
}

// errInterrupted is a command that was told to stop.
var errInterrupted = errors.New("interrupted")

// wait returns after the time, or with an error when ctx ends first.
func wait(ctx context.Context, d time.Duration) error { return waitUnless(ctx, nil, d) }

// waitUnless does the same, and the error comes when the channel is closed as well.
func waitUnless(ctx context.Context, leave <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errInterrupted
	case <-leave:
		return errInterrupted
	case <-timer.C:
		return nil
	}
}

// Reach returns an *UnreachableError when nobody answers at the API's address.
// What is answered does not matter.
func (c *Client) Reach(ctx context.Context) error {
	_, err := patience{tries: reachTries}.send(ctx, func() error {
		err := c.Health(ctx)
		var answer *AnswerError
		if errors.As(err, &answer) {
			return nil
		}
		return err
	})
	return err
}
