package api

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
)

const (
	headerRequestID = "X-Request-Id"
	localRequestID  = "request_id"
	localError      = "error"
	localBody       = "body"
)

// identify sets what every answer carries.
func (s *Server) identify(c *fiber.Ctx) error {
	requestID(c)
	secure(c)
	return c.Next()
}

// requestID is the id of the request: the client's, if it is of the form of an
// order id, else a new one. It goes into the answer, the log and every problem.
func requestID(c *fiber.Ctx) string {
	if id, ok := c.Locals(localRequestID).(string); ok {
		return id
	}
	id := strings.Clone(c.Get(headerRequestID))
	if !order.ValidID(id) {
		id = uuid.NewString()
	}
	c.Locals(localRequestID, id)
	c.Set(headerRequestID, id)
	return id
}

// logAccess writes one line for each request, after its answer is made. Reading and
// submitting an order is the ordinary: at full throughput it would be thousands of
// lines per second, so they are written for those who debug.
func (s *Server) logAccess(c *fiber.Ctx) error {
	start, front := time.Now(), c.Route()
	if err := c.Next(); err != nil {
		if err := s.answerError(c, err); err != nil {
			return err
		}
	}
	s.observe(c, front, time.Since(start))
	// Warnings are bounded by the log, so an outage does not fill it.
	reason, level := c.Locals(localError), slog.LevelInfo
	switch {
	case reason != nil:
		level = slog.LevelWarn
	case ordinary(c):
		level = slog.LevelDebug
	}
	if !s.cfg.Log.Enabled(c.UserContext(), level) {
		return nil
	}
	line := []any{
		"method", strings.Clone(c.Method()), "path", printablePath(c),
		"status", c.Response().StatusCode(), "duration_ms", milliseconds(time.Since(start)),
		"request_id", requestID(c),
	}
	if caller := callerOf(c); caller != "" {
		line = append(line, "api_key", caller)
	}
	if reason != nil {
		line = append(line, "error", reason)
	}
	s.cfg.Log.Log(c.UserContext(), level, "request", line...)
	return nil
}

// observe tells of a request that is answered. The front is what all requests pass;
// one that got no further has reached no route.
func (s *Server) observe(c *fiber.Ctx, front *fiber.Route, took time.Duration) {
	if s.cfg.Observe == nil {
		return
	}
	route := "none"
	if reached := c.Route(); reached != front {
		route = reached.Path
	}
	s.cfg.Observe(route, c.Method(), c.Response().StatusCode(), took)
}

// ordinary says whether a request has read something, or submitted one order, and
// went well.
func ordinary(c *fiber.Ctx) bool {
	reads := c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead
	submits := c.Path() == "/orders"
	return c.Response().StatusCode() < fiber.StatusBadRequest && (reads || submits)
}

// recoverPanic turns a panic into an error, which answers 500.
func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer caught(&err)
	return c.Next()
}

// caught, deferred, makes an error of a panic.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// bound limits what the request may take of Redis.
func (s *Server) bound(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), s.requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// ready refuses a request while the process cannot serve orders.
func (s *Server) ready(c *fiber.Ctx) error {
	if err := s.cfg.Ready(); err != nil {
		return fmt.Errorf("%w: %w", order.ErrUnavailable, err)
	}
	return c.Next()
}
