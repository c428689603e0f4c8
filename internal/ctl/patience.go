package ctl

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
	// maxRetryAfter bounds what the API can ask for.
	maxRetryAfter = time.Minute
)

// SubmitPatiently sends one order, and sends it again while the API is away or
// busy, up to so many tries. Up to limitedTries more are made when the rate limit
// is what is in the way, as that passes by itself. The body must have an id, which makes the repeats
// safe.
func (c *Client) SubmitPatiently(ctx context.Context, body []byte, tries int) (sent Sent, err error) {
	sent.Tries, err = patiently(ctx, tries, limitedTries, func() (err error) {
		sent.Replayed, err = c.Submit(ctx, body)
		return err
	})
	return sent, err
}

// Sent is how an order was taken.
type Sent struct {
	// Replayed says that the API had the order already.
	Replayed bool
	// Tries is how often it was sent.
	Tries int
}

// sendPatiently makes a request that is safe to repeat.
func (c *Client) sendPatiently(ctx context.Context, r request) (answer json.RawMessage, err error) {
	_, err = patiently(ctx, commandTries, 0, func() (err error) {
		answer, _, err = c.send(ctx, r)
		return err
	})
	return answer, err
}

// patiently tries, and tries again while the API is away or busy, up to so many
// tries; those that were over the rate limit do not count among the first so
// many. It waits as long as the API asks, or longer from try to try. It returns
// how many tries there were, and the error of the last one.
func patiently(ctx context.Context, tries, limited int, try func() error) (n int, err error) {
	for n := 1; ; n++ {
		err := try()
		if err == nil || !passing(err) {
			return n, err
		}
		if limited > 0 && overLimit(err) {
			limited--
			tries++
		}
		if n >= tries {
			return n, err
		}
		if err := wait(ctx, delay(n, err)); err != nil {
			return n, err
		}
	}
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

// Reach returns an *UnreachableError when nobody answers at the API's address.
// What is answered does not matter.
func (c *Client) Reach(ctx context.Context) error {
	_, err := patiently(ctx, reachTries, 0, func() error {
		err := c.Health(ctx)
		var answer *AnswerError
		if errors.As(err, &answer) {
			return nil
		}
		return err
	})
	return err
}
