package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/retryafter"
)

// verdict says what an answer's status means for the order: nil is taken, a
// *order.RetryError is worth another attempt, a *order.PermanentError is not.
func verdict(code int, header http.Header, now time.Time) error {
	switch {
	case code/100 == 2:
		return nil
	case code/100 == 3:
		return &order.PermanentError{Err: errors.New(answered(code) + ": redirects are refused")}
	case transient(code, header):
		after, _ := retryafter.Read(header, now)
		return &order.RetryError{After: min(after, maxRetryAfter), Err: errors.New(answered(code))}
	default:
		return &order.PermanentError{Err: errors.New(answered(code))}
	}
}

// transient tells the refusals that time can cure. A conflict is one only if
// the shop says when to come back, whatever it says.
func transient(code int, header http.Header) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusConflict:
		return len(header.Values("Retry-After")) > 0
	default:
		return code/100 == 5
	}
}

// answered names a status in our words; the shop's own reason phrase is text
// from outside.
func answered(code int) string {
	return strings.TrimSpace(fmt.Sprintf("fulfilment answered %d %s", code, http.StatusText(code)))
}

// incomplete is the verdict on a call that brought no complete answer, even
// after a 2xx: whether the shop has taken the order is unknown. The end of the
// caller's ctx is told apart from the end of the call's own time.
func (c *Client) incomplete(ctx, call context.Context, what string, cause error) error {
	if err := ctx.Err(); err != nil {
		return &order.RetryError{Err: fmt.Errorf("call to fulfilment stopped: %w", err)}
	}
	if call.Err() != nil {
		return &order.RetryError{Err: fmt.Errorf("%s within %v", what, c.timeout)}
	}
	return &order.RetryError{Err: &brokenError{what: what, cause: cause}}
}

// brokenError is a call that the network, or a peer that speaks no HTTP, broke
// off. Its text is bounded; its cause is open to errors.Is.
type brokenError struct {
	what  string
	cause error
}

// Error implements error.
func (e *brokenError) Error() string {
	cause := order.Reason(e.cause)
	return e.what + ": " + strings.ToValidUTF8(cause[:min(len(cause), maxCauseBytes)], "")
}

// Unwrap returns the cause.
func (e *brokenError) Unwrap() error { return e.cause }
