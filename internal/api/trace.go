package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/requestid"
	"orderprocessor/internal/traces"
)

const (
	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
	// maxTraceState bounds the Tracestate that is taken up, in bytes, as it travels
	// with the task of each order: what W3C says one should take at least.
	maxTraceState = 512
)

// trace takes up the client's trace, and ends the span of the request once its
// answer is made.
func (s *Server) trace(c *fiber.Ctx) error {
	c.SetUserContext(parentOf(requestid.With(c.UserContext(), requestID(c)), c))
	err := c.Next()
	if s.tracer != nil {
		endSpan(c)
	}
	return err
}

// parentOf returns ctx with the client's trace. One that is malformed or comes more
// than once is ignored, as is a Tracestate that is too long.
func parentOf(ctx context.Context, c *fiber.Ctx) context.Context {
	parents := c.Request().Header.PeekAll(headerTraceParent)
	if len(parents) != 1 {
		return ctx
	}
	carrier := propagation.MapCarrier{"traceparent": string(parents[0])}
	if state := c.Get(headerTraceState); len(state) <= maxTraceState {
		carrier["tracestate"] = strings.Clone(state)
	}
	return propagation.TraceContext{}.Extract(ctx, carrier)
}

// traced returns the step that begins the span of a route. What moves or shows
// orders and queues has one; pages, probes, statistics and streams, which browsers
// and monitors ask for again and again, have none.
func (s *Server) traced(path string) []fiber.Handler {
	if s.tracer == nil || !strings.HasPrefix(path, "/orders") && !strings.HasPrefix(path, "/queues") {
		return nil
	}
	template := strings.NewReplacer(":id", "{id}", ":name", "{name}").Replace(path)
	return []fiber.Handler{func(c *fiber.Ctx) error {
		c.SetUserContext(s.startSpan(c, template))
		return c.Next()
	}}
}

func (s *Server) startSpan(c *fiber.Ctx, route string) context.Context {
	method := strings.Clone(c.Method())
	ctx, span := s.tracer.Start(c.UserContext(), method+" "+route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route), traces.RequestID.String(requestID(c))))
	if id, err := orderID(c); err == nil {
		span.SetAttributes(traces.OrderID.String(id))
	}
	return ctx
}

// endSpan ends the span of a request if it has one. What the client did wrong is no
// failure of ours.
func endSpan(c *fiber.Ctx) {
	span := trace.SpanFromContext(c.UserContext())
	if !span.IsRecording() {
		return
	}
	code := c.Response().StatusCode()
	span.SetAttributes(semconv.HTTPResponseStatusCode(code))
	if code >= fiber.StatusInternalServerError {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(code)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
