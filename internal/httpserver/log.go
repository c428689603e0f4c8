package httpserver

import (
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

const (
	localCaller  = "caller"
	localReason  = "reason"
	localRoutine = "routine"
)

// SetCaller adds the name of the caller to the request's log line.
func SetCaller(c *fiber.Ctx, name string) { c.Locals(localCaller, name) }

// SetReason adds the reason of a failure to the request's log line, which becomes a
// warning.
func SetReason(c *fiber.Ctx, reason string) { c.Locals(localReason, reason) }

// SetRoutine marks a request that is logged at the level debug when it succeeds.
func SetRoutine(c *fiber.Ctx) { c.Locals(localRoutine, true) }

// logRequest writes one line for each request, after its answer is complete. Reads and
// single submissions are logged at the level debug: at full throughput they would be
// thousands of lines a second.
func (s *Server) logRequest(c *fiber.Ctx) error {
	start, front := time.Now(), c.Route()
	if err := c.Next(); err != nil {
		s.fail(c, err)
	}
	s.observe(c, front, time.Since(start))
	// The log limits repeated warnings, so an outage does not fill it.
	reason, level := c.Locals(localReason), slog.LevelInfo
	switch {
	case reason != nil:
		level = slog.LevelWarn
	case routine(c):
		level = slog.LevelDebug
	}
	if !s.cfg.Log.Enabled(c.UserContext(), level) {
		return nil
	}
	line := []any{
		"method", strings.Clone(c.Method()), "path", PrintablePath(c),
		"status", c.Response().StatusCode(), "duration_ms", float64(time.Since(start).Microseconds()) / 1000,
		"request_id", RequestID(c),
	}
	if caller, _ := c.Locals(localCaller).(string); caller != "" {
		line = append(line, "api_key", caller)
	}
	if reason != nil {
		line = append(line, "error", reason)
	}
	s.cfg.Log.Log(c.UserContext(), level, "request", line...)
	return nil
}

// fail answers a request that ended with an error. An error of the service itself is
// logged here; one of its surroundings goes into the request's own line.
func (s *Server) fail(c *fiber.Ctx, err error) (detail string) {
	Secure(c) // some requests do not pass identify, and a page may have had another policy
	detail = s.cfg.Answer(c, err)
	switch code := c.Response().StatusCode(); {
	case code == fiber.StatusInternalServerError:
		s.cfg.Log.ErrorContext(c.UserContext(), "request failed", "error", err, "request_id", RequestID(c))
	case code > fiber.StatusInternalServerError:
		SetReason(c, err.Error())
	}
	return detail
}

// refuse answers a request that the HTTP server could not read, and logs it. The error
// itself is not logged, because it quotes headers, which may contain keys.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	detail := s.fail(c, err)
	s.cfg.Log.Info("request refused", "method", order.Printable(strings.Clone(c.Method())), "path", PrintablePath(c),
		"status", c.Response().StatusCode(), "error", detail, "request_id", RequestID(c))
	return nil
}

// observe reports an answered request. Every request passes the front; one that got no
// further has matched no route.
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

// routine reports whether a request has succeeded and is of the frequent kind.
func routine(c *fiber.Ctx) bool {
	frequent := c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead || c.Locals(localRoutine) != nil
	return c.Response().StatusCode() < fiber.StatusBadRequest && frequent
}

// keyText is the form of the API keys that orderctl makes. A client may put one into the
// path by mistake.
var keyText = regexp.MustCompile(`ok_[A-Za-z0-9_-]{16,}`)

// PrintablePath returns the path of the request for an answer or a log line: cut,
// printable, and without keys.
func PrintablePath(c *fiber.Ctx) string {
	path := c.Path()
	path = order.Printable(strings.Clone(path[:min(len(path), maxLoggedPath)]))
	return keyText.ReplaceAllString(path, "ok_…")
}
