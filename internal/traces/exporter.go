package traces

import (
	"context"
	"log/slog"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"orderprocessor/internal/order"
)

// tellInterval is how often it is told that the collector is away: spans are sent
// every few seconds, and each time fails again.
const tellInterval = time.Minute

// patient is an exporter that tells of its errors itself, now and then. Its caller
// would tell of each, through a handler that is global to the process. The caller
// exports one batch at a time.
type patient struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	lost int       // spans, since the last ones that were taken
	told time.Time // when it was told of that last
}

// ExportSpans implements sdktrace.SpanExporter. It returns no error.
func (p *patient) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := p.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		p.delivered()
		return nil
	}
	p.lost += len(spans)
	if time.Since(p.told) >= tellInterval {
		p.told = time.Now()
		p.log.Warn("spans do not reach the collector and are lost", "spans_lost", p.lost, "error", order.Reason(err))
	}
	return nil
}

func (p *patient) delivered() {
	if p.lost == 0 {
		return
	}
	p.log.Info("spans reach the collector again", "spans_lost", p.lost)
	p.lost, p.told = 0, time.Time{}
}
