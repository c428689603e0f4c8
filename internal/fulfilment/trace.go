package fulfilment

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/traces"
)

// start begins the span of one call. While traces are off, it returns ctx unchanged and
// a span that records nothing.
func (c *Client) start(ctx context.Context, id string, attempt int) (context.Context, trace.Span) {
	if c.tracer == nil {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return c.tracer.Start(ctx, http.MethodPost, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(c.server...),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(http.MethodPost),
			traces.OrderID.String(id), traces.OrderAttempt.Int(attempt)))
}

// serverOf returns the attributes of the shop's address, without the path, which may
// contain a secret.
func serverOf(endpoint *url.URL) []attribute.KeyValue {
	port, err := strconv.Atoi(endpoint.Port())
	switch {
	case err == nil:
	case endpoint.Scheme == "https":
		port = 443
	default:
		port = 80
	}
	return []attribute.KeyValue{semconv.ServerAddress(endpoint.Hostname()), semconv.ServerPort(port)}
}

// recordStatus adds the status of the shop's answer to the span.
func recordStatus(span trace.Span, code int) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(code))
	if code < http.StatusOK || code >= http.StatusMultipleChoices {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(code)))
	}
}
