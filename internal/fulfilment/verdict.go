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

// verdict returns what an answer means for the order: nil if the shop accepted it,
// *order.RetryError if another attempt may help, *order.PermanentError if not. Only the
// status decides, and Retry-After if it is a refusal.
func verdict(code int, header http.Header, now time.Time) error {
	asked, valid := retryafter.Read(header, now)
	switch {
	case code/100 == 2:
		return nil
	case isRedirect(code):
		return &order.PermanentError{Err: errors.New(answered(code) + target(header) + ": redirects are refused")}
	case transient(code, valid || code == http.StatusConflict && len(header.Values("Retry-After")) > 0):
		return &order.RetryError{
			After: min(asked, maxRetryAfter), Unknown: isGateway(code), Err: errors.New(answered(code)), Status: code,
			Later: code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable && valid,
		}
	default:
		return &order.PermanentError{Err: errors.New(answered(code))}
	}
}

// transient reports whether a refusal may end with time: every 5xx, and of 4xx those
// with Retry-After and those whose meaning is temporary.
func transient(code int, comeBack bool) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return code/100 == 5 || code/100 == 4 && comeBack
	}
}

// isGateway reports whether a gateway in front of the shop answered, which does not know
// what the shop did: the two statuses of RFC 9110, and those from 520 on, which no RFC
// registers.
func isGateway(code int) bool {
	return code == http.StatusBadGateway || code == http.StatusGatewayTimeout || code >= 520
}

// isRedirect reports whether a status redirects the call, unlike the other 3xx.
func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// target returns where a redirect leads, without parts that may be secret. It is empty
// when the redirect has no target or a malformed one.
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

// answered describes a status. It does not use the shop's own reason phrase, which may
// be any text.
func answered(code int) string {
	return strings.TrimSpace(fmt.Sprintf("fulfilment answered %d %s", code, http.StatusText(code)))
}

// unanswered returns why no complete headers came. It distinguishes the end of the
// caller's ctx from the call's own timeout.
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

// brokenError is a call that the network broke off, or a peer that does not speak HTTP.
// Its text is bounded. It wraps its cause.
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
