package client

import (
	"context"
	"errors"
)

// Submission is what is known of an order after it was sent, perhaps repeatedly.
type Submission struct {
	// Replayed is set if the API had the order already.
	Replayed bool
	// Err is the error of the last attempt; nil if the API has the order.
	Err error
	// Unknown is why the API may have the order although Err is not nil. It is nil
	// if the API does not have the order.
	Unknown error
}

// SubmitRepeatedly sends one order, and sends it again as the policy allows while
// the API is unreachable or busy. The order must have an id, which makes repeats
// safe. The error is that of the last attempt, or ErrInterrupted.
func (c *Client) SubmitRepeatedly(ctx context.Context, body []byte, p RetryPolicy) (s Submission, err error) {
	err = p.run(ctx, func() error {
		s.Replayed, s.Err = c.Submit(ctx, body)
		s.Unknown = unknown(s.Err, s.Unknown)
		return s.Err
	})
	return s, err
}

// unknown returns why an order may have been accepted, given the error of the last
// attempt and the result before it. An answer from before the order is looked up
// reveals nothing about earlier attempts.
func unknown(last, before error) error {
	switch {
	case last == nil, NoRoom(last):
		return nil
	case Denied(last), RateLimited(last):
		return before
	case errors.As(last, new(*ResponseError)) && !Temporary(last):
		return nil
	default:
		return last
	}
}
