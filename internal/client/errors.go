package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/retryafter"
)

// maxShownProblems bounds how many problems of one order an error's text lists.
const maxShownProblems = 5

// ResponseError is an answer other than 2xx.
type ResponseError struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// RetryAfter is how long the API asks to wait; zero if it does not.
	RetryAfter time.Duration `json:"-"`
	// Type identifies the problem for programs; it may be empty.
	Type string `json:"type"`
	// Detail and Reason describe the problem for people; each may be empty.
	Detail string `json:"detail"`
	Reason string `json:"reason"`
	// Errors lists what is wrong with an order or a request.
	Errors []order.FieldError `json:"errors"`
	// OrderStatus is the status that prevents the change, or empty.
	OrderStatus order.Status `json:"order_status"`
	// Verdict is what is wrong, where GET /health answers; empty elsewhere.
	Verdict Verdict `json:"verdict"`
	// KeySent is set if the request had a key.
	KeySent bool `json:"-"`

	hint string
}

// responseError reads a problem+json, or whatever else a proxy sends.
func (c *Client) responseError(resp *http.Response, body []byte) *ResponseError {
	e := &ResponseError{}
	if json.Unmarshal(body, e) != nil {
		*e = ResponseError{}
	}
	e.Status, e.KeySent = resp.StatusCode, c.options.Key != ""
	e.RetryAfter, _ = retryafter.Read(resp.Header, time.Now())
	if c.options.Hint != nil {
		e.hint = c.options.Hint(e)
	}
	return e
}

// RedisUnavailable is the text of a problem of that type.
const RedisUnavailable = "Redis is unavailable"

// RedisUnavailable reports whether the API cannot reach Redis.
func (e *ResponseError) RedisUnavailable() bool { return e.is("redis-unavailable") }

func (e *ResponseError) is(problem string) bool { return strings.HasSuffix(e.Type, ":"+problem) }

// Error returns the status and everything that is wrong, in one line.
func (e *ResponseError) Error() string {
	text := e.Detail
	switch {
	case e.RedisUnavailable():
		text = RedisUnavailable
	case len(e.Errors) > 0:
		text = e.problems()
	case text == "" && e.Reason != "":
		text = e.Reason
	case text == "":
		text = http.StatusText(e.Status)
	}
	text = order.Printable(text)
	if e.hint != "" {
		text = strings.TrimSuffix(text, ".") + "; " + e.hint
	}
	return fmt.Sprintf("%d: %s", e.Status, text)
}

func (e *ResponseError) problems() string {
	var texts []string
	for i, p := range e.Errors {
		if i == maxShownProblems {
			texts = append(texts, fmt.Sprintf("and %d more", len(e.Errors)-i))
			break
		}
		texts = append(texts, p.Field+" "+p.Message)
	}
	return strings.Join(texts, "; ")
}

// UnreachableError is a request without an answer: it may have been applied.
type UnreachableError struct {
	// API is the address that was asked.
	API string
	// Err is why there is no answer.
	Err error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from the API at %s: %v; is it running, and is the address right?", e.API, e.Err)
}

// Unwrap returns why there is no answer.
func (e *UnreachableError) Unwrap() error { return e.Err }

// HasStatus reports whether the API answered with one of the statuses.
func HasStatus(err error, statuses ...int) bool {
	var response *ResponseError
	return errors.As(err, &response) && slices.Contains(statuses, response.Status)
}

// Denied reports whether the API refuses the key, whatever the request.
func Denied(err error) bool { return HasStatus(err, http.StatusUnauthorized, http.StatusForbidden) }

// RateLimited reports whether the key has used up its request rate.
func RateLimited(err error) bool { return HasStatus(err, http.StatusTooManyRequests) }

// NoRoom reports whether the API has no room for another order. The API had then
// checked that it does not have the order already.
func NoRoom(err error) bool {
	var response *ResponseError
	return errors.As(err, &response) && response.is("no-room")
}

// Temporary reports whether the same request may succeed later.
func Temporary(err error) bool {
	return errors.As(err, new(*UnreachableError)) || HasStatus(err,
		http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}
