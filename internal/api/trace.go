package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/traces"
)

// traced returns the step that begins the span of a route, which httpserver ends. Routes
// of orders and queues have one. Pages, probes, statistics and streams, which browsers and
// monitors request continually, have none.
func (s *Server) traced(path string) []fiber.Handler {
	if s.tracer == nil || !strings.HasPrefix(path, "/orders") && !strings.HasPrefix(path, "/queues") {
		return nil
	}
	template := strings.NewReplacer(":id", "{id}", ":name", "{name}").Replace(path)
	return []fiber.Handler{func(c *fiber.Ctx) error {
		method := strings.Clone(c.Method())
		ctx, span := s.tracer.Start(c.UserContext(), method+" "+template, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(template),
				traces.RequestID.String(httpserver.RequestID(c))))
		if id, err := orderID(c); err == nil {
			span.SetAttributes(traces.OrderID.String(id))
		}
		c.SetUserContext(ctx)
		return c.Next()
	}}
}
