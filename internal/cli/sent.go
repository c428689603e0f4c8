package cli

import (
	"context"
	"errors"
)

// Sent is what is known of an order after it was sent, perhaps several times.
type Sent struct {
	// Replayed says that the API had the order already.
	Replayed bool
	// Tries is how often it was sent.
	Tries int
	// Last is what the last try met; nil if the API has the order.
	Last error
	// Doubt is why the API may have the order although the last try did not say so;
	// nil if it has not.
	Doubt error
}

// SubmitPatiently sends one order, and sends it again while the API is away or busy, as
// often as the patience allows. The body must have an id, which makes the repeats safe.
// The error is the last one, or that a wait was ended.
func (c *Client) SubmitPatiently(ctx context.Context, body []byte, p patience) (sent Sent, err error) {
	sent.Tries, err = p.send(ctx, func() error {
		sent.Replayed, sent.Last = c.Submit(ctx, body)
		sent.Doubt = doubt(sent.Last, sent.Doubt)
		return sent.Last
	})
	return sent, err
}

// doubt says why an order may have been accepted, given what its last try met and the
// doubt before it. An API that is not let through to says nothing of earlier tries.
func doubt(last, before error) error {
	var answer *AnswerError
	switch {
	case last == nil, noRoom(last):
		return nil
	case barred(last), overLimit(last):
		return before
	case errors.As(last, &answer) && !passing(last):
		return nil
	default:
		return last
	}
}
