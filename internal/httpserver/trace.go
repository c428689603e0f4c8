package httpserver

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
)

const (
	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
)

// trace gives the request's context its id and the client's trace, and ends the span
// that a route may have begun when the answer is complete.
func (s *Server) trace(c *fiber.Ctx) error {
	c.SetUserContext(withParent(requestid.With(c.UserContext(), RequestID(c)), c))
	err := c.Next()
	endSpan(c)
	return err
}

// withParent returns ctx with the client's trace. A header that is malformed or
// repeated is ignored, as is a Tracestate that is too long.
func withParent(ctx context.Context, c *fiber.Ctx) context.Context {
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

// endSpan ends the span of a request that has one. Mistakes of the client do not mark
// the span as failed.
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
