package api

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// problem is the body of every error, as RFC 9457 describes it.
type problem struct {
	// Type is a tag URI, or about:blank where the status says it all.
	Type string `json:"type"`
	// Title is the same for all problems of one type.
	Title string `json:"title"`
	// Status repeats the status code.
	Status int `json:"status"`
	// Detail explains this occurrence to a person.
	Detail string `json:"detail"`
	// Instance is the path of the request.
	Instance string `json:"instance"`
	// RequestID is what to look for in the log.
	RequestID string `json:"request_id"`
	// Errors lists everything that is wrong with an order or a request.
	Errors []order.FieldError `json:"errors,omitempty"`
	// OrderID is the id under which an order may have been recorded.
	OrderID string `json:"order_id,omitempty"`
	// OrderStatus is what the order is, where that stands in the way.
	OrderStatus order.Status `json:"order_status,omitempty"`

	retryAfter int      // seconds, 0 for none
	challenges []string // for WWW-Authenticate
}

// The types of problems that a program may want to tell apart.
const (
	typeBlank       = "about:blank"
	typeInvalid     = "tag:orderprocessor,2026:invalid-order"
	typeRequest     = "tag:orderprocessor,2026:invalid-request"
	typeMalformed   = "tag:orderprocessor,2026:malformed-json"
	typeConflict    = "tag:orderprocessor,2026:order-id-conflict"
	typeKeyReused   = "tag:orderprocessor,2026:idempotency-key-reused"
	typeStatus      = "tag:orderprocessor,2026:order-status-conflict"
	typeUnknown     = "tag:orderprocessor,2026:order-outcome-unknown"
	typeBusy        = "tag:orderprocessor,2026:no-room"
	typeUnavailable = "tag:orderprocessor,2026:redis-unavailable"
	typeKey         = "tag:orderprocessor,2026:unauthorized"
	typeScope       = "tag:orderprocessor,2026:forbidden"
	typeCrossSite   = "tag:orderprocessor,2026:cross-site"
	typeLimited     = "tag:orderprocessor,2026:rate-limited"
)

// problemOf is the one place that decides what an error is over HTTP. Nothing
// internal is told to the client.
func problemOf(err error) problem {
	var (
		line      lineError
		invalid   *order.InvalidError
		request   *requestError
		malformed *malformedError
		reused    keyReusedError
		moved     *order.StatusError
		busy      *order.BusyError
		uncertain *order.UncertainError
		status    *fiber.Error
	)
	switch {
	case errors.As(err, &line):
		return line.problem
	case errors.As(err, &invalid):
		p := problem{Type: typeInvalid, Title: "The order is not valid", Status: 400}
		return p.listing(invalid.Problems)
	case errors.As(err, &request):
		p := problem{Type: typeRequest, Title: "The request is not valid", Status: 400}
		return p.listing(request.problems)
	case errors.As(err, &malformed):
		return problem{Type: typeMalformed, Title: "The body is not valid JSON", Status: 400, Detail: malformed.Error()}
	case errors.As(err, &busy):
		return problem{
			Type: typeBusy, Title: "There is no room for more orders", Status: 503,
			Detail:     "Nothing was accepted: " + busy.Reason + ". Send it again later.",
			retryAfter: max(1, seconds(busy.RetryAfter)),
		}
	case errors.Is(err, live.ErrFull):
		return problem{
			Type: typeBusy, Title: "Too many clients follow events", Status: 503,
			Detail: "There is no place for one more. Ask again later, or ask for the order itself.", retryAfter: streamsRetryAfter,
		}
	case errors.As(err, &reused):
		return problem{
			Type: typeKeyReused, Title: "The idempotency key is already used", Status: 422,
			Detail: "An order with this key and other content exists. Choose another key for another order.",
		}
	case errors.As(err, &moved) && moved.Unknown:
		return problem{
			Type: typeUnknown, Title: "The shop may have taken the order", Status: 409, OrderStatus: moved.Status,
			Detail: "The order is " + string(moved.Status) + ", and an attempt ended without an answer from the shop. " +
				"It cannot be cancelled until the shop has taken it or refused it for good.",
		}
	case errors.As(err, &moved):
		return problem{
			Type: typeStatus, Title: "The order's status does not allow this", Status: 409,
			Detail: "The order is " + string(moved.Status) + ".", OrderStatus: moved.Status,
		}
	case errors.Is(err, order.ErrConflict):
		return problem{
			Type: typeConflict, Title: "The order id is already used", Status: 409,
			Detail: "An order with this id and other content exists. Choose another id.",
		}
	case errors.Is(err, order.ErrNotFound):
		return problem{Type: typeBlank, Status: 404, Detail: "There is no order with this id."}
	case errors.Is(err, errNoQueue):
		return problem{Type: typeBlank, Status: 404, Detail: "There is no queue with this name."}
	case errors.Is(err, errCutOff):
		return problem{Type: typeBlank, Status: 400, Detail: "The body was cut off."}
	case errors.As(err, &uncertain):
		return problem{
			Type: typeUnavailable, Title: "Redis is unavailable", Status: 503, OrderID: uncertain.ID,
			Detail: fmt.Sprintf("Whether the order was recorded is not known. Send it again with the id %q: "+
				"it is accepted once, whatever happened before.", uncertain.ID),
			retryAfter: unavailableRetryAfter,
		}
	case errors.Is(err, order.ErrUnavailable):
		return problem{
			Type: typeUnavailable, Title: "Redis is unavailable", Status: 503,
			Detail:     "The request could not be completed. Sending it again is safe.",
			retryAfter: unavailableRetryAfter,
		}
	case errors.As(err, &status):
		return statusProblem(status)
	default:
		return refusalProblem(err)
	}
}

// listing adds everything that is wrong.
func (p problem) listing(found []order.FieldError) problem {
	p.Detail, p.Errors = fmt.Sprintf("%d problems were found; errors lists them.", len(found)), found
	if len(found) == 1 {
		p.Detail = found[0].Field + " " + found[0].Message + "."
	}
	return p
}

// bounded lists no more than so many.
func (p problem) bounded(most int) problem {
	if n := len(p.Errors); n > most {
		p.Errors = slices.Clone(p.Errors[:most]) // the others may be many
		p.Detail = fmt.Sprintf("%d problems were found; errors lists the first %d.", n, most)
	}
	return p
}

// statusProblem is for what Fiber finds wrong with a request before it reaches
// a handler.
func statusProblem(err *fiber.Error) problem {
	detail := map[int]string{
		fiber.StatusNotFound:                    "There is nothing at this path.",
		fiber.StatusMethodNotAllowed:            "The path does not take this method; the Allow header lists those it takes.",
		fiber.StatusRequestTimeout:              "The request did not arrive in time.",
		fiber.StatusRequestEntityTooLarge:       err.Message,
		fiber.StatusRequestHeaderFieldsTooLarge: fmt.Sprintf("Request line and headers must have at most %d bytes.", maxHeaderBytes),
		fiber.StatusUnsupportedMediaType:        err.Message,
		fiber.StatusBadRequest:                  "The request is not valid HTTP.",
	}[err.Code]
	return problem{Type: typeBlank, Status: err.Code, Detail: detail}
}

// answerError answers with the problem that an error is. An error that has no
// name of its own is logged here; the others are told by the access log.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	p := describeProblem(c, err).bounded(maxProblems)
	secure(c) // refuse does not come through identify, and a page may have had another policy
	switch {
	case p.Status == fiber.StatusInternalServerError:
		s.cfg.Log.ErrorContext(c.UserContext(), "request failed", "error", err, "request_id", p.RequestID)
	case p.Status > fiber.StatusInternalServerError:
		c.Locals(localError, err.Error())
	}
	for _, challenge := range p.challenges {
		c.Response().Header.Add(fiber.HeaderWWWAuthenticate, challenge)
	}
	if p.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.retryAfter))
	}
	return c.Status(p.Status).JSON(p, "application/problem+json")
}

// describeProblem returns the problem that an error is to this request.
func describeProblem(c *fiber.Ctx, err error) problem {
	p := problemOf(err)
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	p.Instance = printablePath(c)
	p.RequestID = requestID(c)
	return p
}

// refuse answers a request that the HTTP server itself could not read, and
// writes its line of the access log. The server's own words stay out of it: they
// quote headers, and keys with them.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	answered := s.answerError(c, err)
	s.cfg.Log.Info("request refused", "method", order.Printable(strings.Clone(c.Method())), "path", printablePath(c),
		"status", c.Response().StatusCode(), "error", problemOf(err).Detail, "request_id", requestID(c))
	return answered
}

// keyText is what an API key of orderctl looks like. Somebody may take it for a
// part of the path.
var keyText = regexp.MustCompile(`ok_[A-Za-z0-9_-]{16,}`)

// printablePath is the path for a body and a log, cut and made printable.
func printablePath(c *fiber.Ctx) string {
	path := c.Path()
	path = order.Printable(strings.Clone(path[:min(len(path), maxLoggedPath)]))
	return keyText.ReplaceAllString(path, "ok_…")
}
