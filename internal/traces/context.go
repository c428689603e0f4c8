package traces

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// The names of the W3C Trace Context headers.
const (
	headerParent = "traceparent"
	headerState  = "tracestate"
)

// ContextOf returns the trace of ctx as it travels with an order; zero without one.
func ContextOf(ctx context.Context) order.TraceContext {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return order.TraceContext{}
	}
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	return order.TraceContext{Parent: headers[headerParent], State: headers[headerState]}
}

// IDOf returns the id of the trace of ctx, 32 hex digits; empty without one, and for one
// that is not sampled, which no collector will show.
func IDOf(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		return span.TraceID().String()
	}
	return ""
}

// WithContext returns ctx in the trace that an order travels with, or ctx itself if
// there is none.
func WithContext(ctx context.Context, t order.TraceContext) context.Context {
	if t.Parent == "" {
		return ctx
	}
	headers := propagation.MapCarrier{headerParent: t.Parent, headerState: t.State}
	span := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), headers))
	return trace.ContextWithSpanContext(ctx, span.WithRemote(false))
}
