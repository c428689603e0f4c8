package api

import (
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const (
	// blank is the type of problems that their status code describes.
	blank = "about:blank"
	// tag begins the types of problems that a program may want to distinguish.
	tag = "tag:orderprocessor,2026:"
)

// problemOf decides what an error is over HTTP: the first row of the table that knows it.
// An error of no row is 500. Nothing internal reaches the client.
func problemOf(err error) problem {
	for _, row := range table {
		if p, ok := row(err); ok {
			return p
		}
	}
	return problem{Type: blank, Status: 500, Detail: "Something went wrong here. The request id identifies it in the log."}
}

// row returns the problem that an error is, if the row knows it.
type row func(err error) (p problem, ok bool)

// is is a row for an error value.
func is(target error, p problem) row {
	return func(err error) (problem, bool) { return p, errors.Is(err, target) }
}

// as is a row for a type of error.
func as[E error](problemOf func(E) problem) row {
	return func(err error) (problem, bool) {
		var target E
		if !errors.As(err, &target) {
			return problem{}, false
		}
		return problemOf(target), true
	}
}

// table maps errors to problems. A type of error comes before the value that it wraps.
//
//nolint:gochecknoglobals // never changed
var table = []row{
	// What the client sent is wrong.
	as(func(e lineError) problem { return e.problem }),
	as(func(e *order.InvalidError) problem {
		return problem{Type: tag + "invalid-order", Title: "The order is not valid", Status: 400}.withErrors(e.Problems)
	}),
	as(func(e *rules.Invalid) problem {
		return problem{Type: tag + "invalid-rules", Title: "The rules are not valid", Status: 400}.withErrors(e.FieldErrors())
	}),
	as(func(e *requestError) problem {
		return problem{Type: tag + "invalid-request", Title: "The request is not valid", Status: 400}.withErrors(e.problems)
	}),
	as(func(e *archiveRequiredError) problem {
		return problem{Type: tag + "archive-required", Title: "This needs an archive", Status: 400}.withErrors(e.problems)
	}),
	as(func(e *malformedError) problem {
		return problem{Type: tag + "malformed-json", Title: "The body is not valid JSON", Status: 400, Detail: e.Error()}
	}),
	is(httpserver.ErrCutOff, problem{Type: blank, Status: 400, Detail: "The body was cut off."}),
	is(order.ErrNotFound, problem{Type: blank, Status: 404, Detail: "There is no order with this id."}),
	is(order.ErrNoJob, problem{Type: blank, Status: 404, Detail: "There is no job with this id."}),
	is(order.ErrNoRules, problem{Type: blank, Status: 404, Detail: "There is no such version of the rules."}),
	is(errNotDecided, problem{
		Type: tag + "not-decided", Title: "The order is not decided yet", Status: 404,
		Detail: "The rules decide an order at its first attempt. Orders that earlier versions of this service decided have no decision.",
	}),
	is(errNoQueue, problem{Type: blank, Status: 404, Detail: "There is no queue with this name."}),

	// The client may not do this.
	is(errUnauthorized, problem{
		Type: tag + "unauthorized", Title: "An API key is needed", Status: 401,
		Detail:     "Send a known key as a bearer token, or as the password of HTTP Basic.",
		challenges: []string{`Bearer realm="orders"`, `Basic realm="orders", charset="UTF-8"`},
	}),
	as(func(e forbiddenError) problem {
		return problem{
			Type: tag + "forbidden", Title: "The API key does not allow this", Status: 403,
			Detail:     "This needs a key with the scope " + string(e.scope) + ".",
			challenges: []string{`Bearer error="insufficient_scope", scope="` + string(e.scope) + `"`},
		}
	}),
	is(httpserver.ErrCrossSite, problem{
		Type: tag + "cross-site", Title: "The request comes from another site", Status: 403,
		Detail: "A browser sent this for a page of another site, which may neither change anything nor subscribe to events.",
	}),
	is(httpserver.ErrForeignHost, problem{
		Type: blank, Status: 421,
		Detail: "Without keys the API answers browsers only as localhost or by its address.",
	}),
	as(func(e limitedError) problem {
		wait := max(1, seconds(e.retryAfter))
		return problem{
			Type: tag + "rate-limited", Title: "The rate limit is used up", Status: 429, retryAfter: wait,
			Detail: fmt.Sprintf("Nothing was done: the limit is %d a second. Send it again in %d s.", e.perSecond, wait),
		}
	}),

	// It does not fit the order as it is.
	as(func(keyReusedError) problem {
		return problem{
			Type: tag + "idempotency-key-reused", Title: "The idempotency key is already used", Status: 422,
			Detail: "An order with this key and other content exists. Choose another key for another order.",
		}
	}),
	as(func(jobKeyReusedError) problem {
		return problem{
			Type: tag + "idempotency-key-reused", Title: "The idempotency key is already used", Status: 422,
			Detail: "A job with this key and other content exists. Choose another key for another job.",
		}
	}),
	as(func(e jobEndedError) problem {
		return problem{
			Type: tag + "job-ended", Title: "The job has ended", Status: 409,
			Detail: "The job is " + string(e.state) + ". Create another one for the orders that are left.",
		}
	}),
	is(order.ErrTooManyJobs, problem{
		Type: tag + "too-many-jobs", Title: "Too many jobs run", Status: 409,
		Detail: fmt.Sprintf("%d jobs have not ended. Wait for one, or stop one.", order.MaxRunningJobs),
	}),
	as(statusProblem),
	is(order.ErrTooManyRules, problem{
		Type: tag + "too-many-rules", Title: "There are too many versions of the rules", Status: 409,
		Detail: fmt.Sprintf("%d versions are stored, and none is ever removed.", order.MaxRuleSets),
	}),
	is(order.ErrConflict, problem{
		Type: tag + "order-id-conflict", Title: "The order id is already used", Status: 409,
		Detail: "An order with this id and other content exists. Choose another id.",
	}),

	as(func(e *order.ForgottenError) problem {
		return problem{
			Type: tag + "order-forgotten", Title: "The order was accepted before and is no longer kept", Status: 409,
			Detail: "This order was accepted at " + e.AcceptedAt.UTC().Format(time.RFC3339) + ", and had its outcome. Do not send it again.",
		}
	}),

	// It may succeed later.
	as(func(e *order.BusyError) problem {
		return problem{
			Type: tag + "no-room", Title: "There is no room for more orders", Status: 503,
			Detail:     "Nothing was accepted: " + e.Reason + ". Send it again later.",
			retryAfter: max(1, seconds(e.RetryAfter)),
		}
	}),
	is(errSimulating, problem{
		Type: tag + "no-room", Title: "Another simulation runs", Status: 503, retryAfter: 1,
		Detail: "One simulation runs at a time. Try again when it has ended.",
	}),
	is(errSimulationTimeout, problem{
		Type: tag + "simulation-too-long", Title: "The simulation took too long", Status: 503, retryAfter: 1,
		Detail: fmt.Sprintf("Ask for fewer orders, or for the progress (Accept: %s): then there is no limit of %v.", mediaNDJSON, simulationTimeout),
	}),
	is(errSearching, problem{
		Type: tag + "no-room", Title: "Too many searches run", Status: 503, retryAfter: 1,
		Detail: "Searches take their turns, and this one waited for too long. Try again later.",
	}),
	is(errSearchTimeout, problem{
		Type: tag + "search-too-long", Title: "The search took too long", Status: 503, retryAfter: 1,
		Detail: fmt.Sprintf("It did not end within %v. Bound it by created_from and created_to, or export the orders.", searchTimeout),
	}),
	is(errExporting, problem{
		Type: tag + "no-room", Title: "Other exports run", Status: 503, retryAfter: exportRetryAfter,
		Detail: fmt.Sprintf("An API process runs %d exports at a time, and one for each key. Try again when another has ended.", maxExports),
	}),
	is(live.ErrFull, problem{
		Type: tag + "no-room", Title: "Too many clients subscribe to events", Status: 503, retryAfter: subscribeRetryAfter,
		Detail: "No further subscriber is admitted. Try again later, or ask for the order itself.",
	}),
	as(func(e *order.UncertainError) problem {
		return problem{
			Type: tag + "redis-unavailable", Title: "Redis is unavailable", Status: 503, OrderID: e.ID, retryAfter: unavailableRetryAfter,
			Detail: fmt.Sprintf("It is not known whether the order was recorded. Send it again with the id %q: "+
				"it is accepted once, whatever happened before.", e.ID),
		}
	}),
	as(func(archiveAwayError) problem {
		return problem{
			Type: tag + "archive-unavailable", Title: "The archive is unavailable", Status: 503, retryAfter: unavailableRetryAfter,
			Detail: "Orders that have left Redis cannot be read. Sending the request again is safe.",
		}
	}),
	is(order.ErrUnavailable, problem{
		Type: tag + "redis-unavailable", Title: "Redis is unavailable", Status: 503, retryAfter: unavailableRetryAfter,
		Detail: "The request could not be completed. Sending it again is safe.",
	}),

	// The HTTP server found it wrong before it reached a handler.
	as(func(e *fiber.Error) problem {
		return problem{Type: blank, Status: e.Code, Detail: map[int]string{
			fiber.StatusBadRequest:                  "The request is not valid HTTP.",
			fiber.StatusNotFound:                    "There is nothing at this path.",
			fiber.StatusMethodNotAllowed:            "The path does not support this method; the Allow header lists those that it does.",
			fiber.StatusRequestTimeout:              "The request did not arrive in time.",
			fiber.StatusRequestEntityTooLarge:       e.Message,
			fiber.StatusUnsupportedMediaType:        e.Message,
			fiber.StatusRequestHeaderFieldsTooLarge: fmt.Sprintf("Request line and headers must have at most %d bytes.", httpserver.MaxHeaderBytes),
		}[e.Code]}
	}),
}

// statusProblem is for an order whose status prevents what was asked for.
func statusProblem(e *order.StatusError) problem {
	if e.Unknown {
		return problem{
			Type: tag + "order-outcome-unknown", Title: "The shop may have accepted the order", Status: 409, OrderStatus: e.Status,
			Detail: "The order is " + string(e.Status) + ", and an attempt ended without an answer from the shop. " +
				"It cannot be cancelled until the shop has accepted it or refused it for good.",
		}
	}
	return problem{
		Type: tag + "order-status-conflict", Title: "The order's status does not allow this", Status: 409,
		Detail: "The order is " + string(e.Status) + ".", OrderStatus: e.Status,
	}
}
