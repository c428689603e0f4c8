package app

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/requestid"
)

// The keys of what a line takes from its context.
const (
	keyRequestID = "request_id"
	keyTraceID   = "trace_id"
	keySpanID    = "span_id"
)

// contextual is a log handler that adds the ids of the request and of the trace in the
// context. A trace that a client began is added even if traces are off.
type contextual struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextual) Handle(ctx context.Context, r slog.Record) error {
	id, span := requestid.Of(ctx), trace.SpanContextFromContext(ctx)
	if id == "" && !span.IsValid() {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	if id != "" && !has(r, keyRequestID) {
		r.AddAttrs(slog.String(keyRequestID, id))
	}
	if span.IsValid() {
		r.AddAttrs(slog.String(keyTraceID, span.TraceID().String()), slog.String(keySpanID, span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// has reports whether the line has the key already.
func has(r slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// WithAttrs implements slog.Handler.
func (h contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextual{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h contextual) WithGroup(name string) slog.Handler { return contextual{h.Handler.WithGroup(name)} }
