package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/retryafter"
)

// maxToldProblems bounds how many problems of one order are told.
const maxToldProblems = 5

// AnswerError is an answer other than 2xx.
type AnswerError struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// RetryAfter is how long the API asks to wait; zero if it does not.
	RetryAfter time.Duration `json:"-"`
	// Type says which problem it is, for programs; it may be empty.
	Type string `json:"type"`
	// Title, Detail and Reason are the API's words; each may be empty.
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Reason string `json:"reason"`
	// Errors lists what is wrong with an order or a request.
	Errors []order.FieldError `json:"errors"`
	// OrderStatus is what the order is instead of what it would have to be;
	// empty if that is not what is wrong.
	OrderStatus order.Status `json:"order_status"`
	// Keyed says whether a key was sent.
	Keyed bool `json:"-"`
}

// newAnswerError reads a problem+json, or what else a proxy may send.
func newAnswerError(resp *http.Response, body []byte, keyed bool) *AnswerError {
	e := &AnswerError{}
	if json.Unmarshal(body, e) != nil {
		*e = AnswerError{}
	}
	e.Status, e.Keyed = resp.StatusCode, keyed
	e.RetryAfter, _ = retryafter.Read(resp.Header, time.Now())
	return e
}

// The problems that are told apart here, as the types of the API end.
const (
	problemNoRoom    = "no-room"
	problemRedisAway = "redis-unavailable"
)

// is says whether it is the problem of this name.
func (e *AnswerError) is(problem string) bool { return strings.HasSuffix(e.Type, ":"+problem) }

// Error tells the status and everything that is wrong, in one line.
func (e *AnswerError) Error() string {
	text := e.Detail
	switch {
	case e.is(problemRedisAway):
		text = redisAway
	case len(e.Errors) > 0:
		text = e.problems()
	case text == "" && e.Reason != "":
		text = e.Reason
	case text == "":
		text = http.StatusText(e.Status)
	}
	text = order.Printable(text)
	if advice := e.advice(); advice != "" {
		text = strings.TrimSuffix(text, ".") + "; " + advice
	}
	return fmt.Sprintf("%d: %s", e.Status, text)
}

// redisAway is what all commands say of an API that cannot ask Redis.
const redisAway = "Redis is unavailable"

// advice says what can be done about an answer that is the same for every order.
func (e *AnswerError) advice() string {
	switch {
	case e.is(problemRedisAway):
		return "orderctl doctor says more"
	case e.Status == http.StatusUnauthorized && e.Keyed:
		return "the API does not know this key: is " + keyVariable + " or --key-file right?"
	case e.Status == http.StatusUnauthorized:
		return "the API wants a key: set " + keyVariable + ", or name a file that holds it with --key-file"
	case e.Status == http.StatusForbidden && e.Keyed:
		return "this key may not do that: orderctl keys new makes one with other scopes"
	case e.Status == http.StatusTooManyRequests && e.RetryAfter > 0:
		return fmt.Sprintf("the API takes no more requests from this key for %v", e.RetryAfter)
	default:
		return ""
	}
}

// barred says whether the API does not let this client in, whatever it asks.
func barred(err error) bool {
	var answer *AnswerError
	return errors.As(err, &answer) &&
		(answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden)
}

// noRoom says whether the API took nothing, as there is no room for it. It has looked
// whether it had the order already.
func noRoom(err error) bool {
	var answer *AnswerError
	return errors.As(err, &answer) && answer.is(problemNoRoom)
}

func (e *AnswerError) problems() string {
	told := make([]string, 0, maxToldProblems+1)
	for i, p := range e.Errors {
		if i == maxToldProblems {
			told = append(told, fmt.Sprintf("and %d more", len(e.Errors)-i))
			break
		}
		told = append(told, p.Field+" "+p.Message)
	}
	return strings.Join(told, "; ")
}
