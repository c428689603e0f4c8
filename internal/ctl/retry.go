package ctl

import (
	"context"
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
	// maxRetryAfter bounds what the API can ask for.
	maxRetryAfter = time.Minute
)

// SubmitPatiently sends one order, and sends it again while the API is away or
// busy, up to so many tries. The body must have an id, which makes the repeats
// safe. It waits as long as the API asks, or longer from try to try. The error
// is that of the last try.
func (c *Client) SubmitPatiently(ctx context.Context, body []byte, tries int) (sent Sent, err error) {
	for n := 1; ; n++ {
		replayed, err := c.Submit(ctx, body)
		if err == nil || n >= tries || !passing(err) {
			return Sent{Replayed: replayed, Tries: n}, err
		}
		if err := wait(ctx, delay(n, err)); err != nil {
			return Sent{Tries: n}, err
		}
	}
}

// Sent is how an order was taken.
type Sent struct {
	// Replayed says that the API had the order already.
	Replayed bool
	// Tries is how often it was sent.
	Tries int
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
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errInterrupted
	case <-timer.C:
		return nil
	}
}

// reachTries is how often a first contact is tried: long enough for an API that
// is just starting.
const reachTries = 3

// Reach returns an *UnreachableError when nobody answers at the API's address.
// What is answered does not matter.
func (c *Client) Reach(ctx context.Context) error {
	for n := 1; ; n++ {
		err := c.Health(ctx)
		var none *UnreachableError
		if !errors.As(err, &none) || n >= reachTries {
			var answer *AnswerError
			if errors.As(err, &answer) {
				return nil
			}
			return err
		}
		if err := wait(ctx, delay(n, nil)); err != nil {
			return err
		}
	}
}
