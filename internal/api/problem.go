package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// problem is the body of every error, as RFC 9457 describes it.
type problem struct {
	// Type is a tag URI, or about:blank where the status code is enough.
	Type string `json:"type"`
	// Title is the same for all problems of one type.
	Title string `json:"title"`
	// Status repeats the status code.
	Status int `json:"status"`
	// Detail explains this occurrence to a person.
	Detail string `json:"detail"`
	// Instance is the path of the request.
	Instance string `json:"instance"`
	// RequestID identifies the request in the log.
	RequestID string `json:"request_id"`
	// Errors lists everything that is wrong with an order or a request.
	Errors []order.FieldError `json:"errors,omitempty"`
	// OrderID is the id under which an order may have been recorded.
	OrderID string `json:"order_id,omitempty"`
	// OrderStatus is the status that prevents what was asked for.
	OrderStatus order.Status `json:"order_status,omitempty"`

	retryAfter int      // seconds, 0 for none
	challenges []string // for WWW-Authenticate
}

// withErrors adds everything that is wrong.
func (p problem) withErrors(found []order.FieldError) problem {
	p.Detail, p.Errors = fmt.Sprintf("%d problems were found; errors lists them.", len(found)), found
	if len(found) == 1 {
		p.Detail = found[0].Field + " " + found[0].Message + "."
	}
	return p
}

// bounded returns the problem with at most that many errors.
func (p problem) bounded(most int) problem {
	if n := len(p.Errors); n > most {
		p.Errors = slices.Clone(p.Errors[:most]) // so that the others can be freed
		p.Detail = fmt.Sprintf("%d problems were found; errors lists the first %d.", n, most)
	}
	return p
}

// describeProblem returns the problem that an error is to this request.
func describeProblem(c *fiber.Ctx, err error) problem {
	p := problemOf(err)
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	p.Instance = httpserver.PrintablePath(c)
	p.RequestID = httpserver.RequestID(c)
	return p
}

// answerError answers a request with the problem that an error is, and returns its detail.
func answerError(c *fiber.Ctx, err error) (detail string) {
	p := describeProblem(c, err).bounded(maxProblems)
	for _, challenge := range p.challenges {
		c.Response().Header.Add(fiber.HeaderWWWAuthenticate, challenge)
	}
	if p.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.retryAfter))
	}
	_ = c.Status(p.Status).JSON(p, "application/problem+json") // texts and numbers always encode
	return p.Detail
}
