package traces

import (
	"context"
	"log/slog"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"orderprocessor/internal/order"
)

// warnInterval is the time between two warnings about a collector that does not
// answer: spans are sent every few seconds, and each time fails again.
const warnInterval = time.Minute

// exporter logs its errors itself, at most once a minute. The SDK would report each one
// to a handler that is global to the process. The SDK exports one batch at a time.
type exporter struct {
	sdktrace.SpanExporter
	log    *slog.Logger
	lost   int       // spans since the last successful export
	warned time.Time // when the last warning was logged
}

// ExportSpans implements sdktrace.SpanExporter. It returns no error.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		e.recovered()
		return nil
	}
	e.lost += len(spans)
	if time.Since(e.warned) >= warnInterval {
		e.warned = time.Now()
		e.log.Warn("spans do not reach the collector and are lost", "spans_lost", e.lost, "error", order.Reason(err))
	}
	return nil
}

func (e *exporter) recovered() {
	if e.lost == 0 {
		return
	}
	e.log.Info("spans reach the collector again", "spans_lost", e.lost)
	e.lost, e.warned = 0, time.Time{}
}
