// Package traces follows an order from its client to the shop with OpenTelemetry: it
// sends the spans of this process to a collector, and defines the attributes of spans.
//
// It receives spans from packages api, queue and fulfilment. It owns the queue of
// spans to send and the connection to the collector. Nothing is durable after it: spans
// are lost while the collector does not answer or the queue is full. Orders never wait
// for spans.
package traces

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	// scope is the name of the instrumentation that creates the spans.
	scope = "orderprocessor"
	// stopTimeout is the longest that Stop waits for the last spans.
	stopTimeout = 5 * time.Second
)

// Config identifies the process in its spans.
type Config struct {
	// Service is the name of the program. OTEL_SERVICE_NAME takes precedence.
	Service string
	// Instance identifies this process among all others of the service.
	Instance string
	// Log receives a line when spans do not reach the collector.
	Log *slog.Logger
}

// Provider creates spans and sends the sampled ones to the collector. It is safe for
// concurrent use.
type Provider struct {
	*sdktrace.TracerProvider
	exporter sdktrace.SpanExporter
}

// New returns a provider that has not started to send. OpenTelemetry reads its exporter,
// sampler and limits from the OTEL_ variables of the process. New returns an error for
// an unknown exporter and for malformed attributes of the resource.
func New(ctx context.Context, cfg Config) (*Provider, error) {
	res, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(cfg.Service), semconv.ServiceInstanceID(cfg.Instance)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read the attributes of traces: %w", err)
	}
	spans, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("set up the exporter of traces: %w", err)
	}
	return &Provider{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithResource(res)),
		exporter:       &exporter{SpanExporter: spans, log: cfg.Log},
	}, nil
}

// Start starts to send spans in the background. It may be called once.
func (p *Provider) Start() { p.RegisterSpanProcessor(sdktrace.NewBatchSpanProcessor(p.exporter)) }

// Stop sends the remaining spans for at most the grace period, and never for more than
// five seconds; the rest is lost. It is safe to call twice.
func (p *Provider) Stop(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(grace, stopTimeout))
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}

// Tracer returns the tracer of this service, or nil if p is nil: traces are off then,
// and the caller creates no spans.
func Tracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		return nil
	}
	return p.Tracer(scope)
}
