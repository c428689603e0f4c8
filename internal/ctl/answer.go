package ctl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// maxToldProblems bounds how many problems of one order are told.
const maxToldProblems = 5

// AnswerError is an answer other than 2xx.
type AnswerError struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// RetryAfter is how long the API asks to wait; zero if it does not.
	RetryAfter time.Duration `json:"-"`
	// Title, Detail and Reason are the API's words; each may be empty.
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Reason string `json:"reason"`
	// Errors lists what is wrong with an order or a request.
	Errors []order.FieldError `json:"errors"`
	// OrderStatus is what the order is instead of what it would have to be;
	// empty if that is not what is wrong.
	OrderStatus order.Status `json:"order_status"`
}

// newAnswerError reads a problem+json, or what else a proxy may send.
func newAnswerError(resp *http.Response, body []byte) *AnswerError {
	e := &AnswerError{}
	if json.Unmarshal(body, e) != nil {
		*e = AnswerError{}
	}
	e.Status = resp.StatusCode
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// Error tells the status and everything that is wrong, in one line.
func (e *AnswerError) Error() string {
	text := e.Detail
	switch {
	case len(e.Errors) > 0:
		text = e.problems()
	case text == "" && e.Reason != "":
		text = e.Reason
	case text == "":
		text = http.StatusText(e.Status)
	}
	return fmt.Sprintf("%d: %s", e.Status, order.Printable(text))
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
