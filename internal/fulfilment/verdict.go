package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/retryafter"
)

// verdict says what an answer's status means for the order: nil is taken, a
// *order.RetryError is worth another attempt, a *order.PermanentError is not.
// The status alone decides, and for a refusal Retry-After.
func verdict(code int, header http.Header, now time.Time) error {
	asked, valid := retryafter.Read(header, now)
	switch {
	case code/100 == 2:
		return nil
	case isRedirect(code):
		return &order.PermanentError{Err: errors.New(answered(code) + target(header) + ": redirects are refused")}
	case transient(code, valid || code == http.StatusConflict && len(header.Values("Retry-After")) > 0):
		return &order.RetryError{After: min(asked, maxRetryAfter), Unknown: isGateway(code), Err: errors.New(answered(code))}
	default:
		return &order.PermanentError{Err: errors.New(answered(code))}
	}
}

// transient says whether time can cure a refusal: each of 5xx, and of 4xx those
// that say when to come back and those that mean it without.
func transient(code int, comeBack bool) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return code/100 == 5 || code/100 == 4 && comeBack
	}
}

// isGateway tells the answers of what stands before the shop, which does not
// know what the shop did: the two of RFC 9110, and from 520 on those that no RFC
// registers.
func isGateway(code int) bool {
	return code == http.StatusBadGateway || code == http.StatusGatewayTimeout || code >= 520
}

// isRedirect tells the answers that send a call elsewhere from the others of 3xx.
func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// target is where a redirect leads, without what may be secret in it. It is
// empty for a redirect that leads nowhere or cannot be read.
func target(header http.Header) string {
	u, err := url.Parse(header.Get("Location"))
	if err != nil {
		return ""
	}
	text := order.Printable((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String())
	if text = strings.ToValidUTF8(text[:min(len(text), maxTargetBytes)], ""); text == "" {
		return ""
	}
	return " to " + text
}

// answered names a status in our words; the shop's own reason phrase is text
// from outside.
func answered(code int) string {
	return strings.TrimSpace(fmt.Sprintf("fulfilment answered %d %s", code, http.StatusText(code)))
}

// unanswered says why a call brought no complete headers. The end of the caller's
// ctx is told apart from the end of the call's own time.
func (c *Client) unanswered(ctx, call context.Context, cause error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("call to fulfilment stopped: %w", err)
	}
	const what = "fulfilment did not answer"
	if call.Err() != nil {
		return fmt.Errorf("%s within %v", what, c.timeout)
	}
	return &brokenError{what: what, cause: cause}
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
