// Package traces follows an order from its client to the shop, as OpenTelemetry
// does it: it sends the spans of this process to a collector, and names what spans
// say of an order.
//
// It receives spans from where the steps are: api, queue and fulfilment. It owns
// the queue of the spans that are to be sent, and the connection to the collector.
// Nothing is durable after it: spans are lost while the collector is away and when
// the queue is full, and an order never waits for them.
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
	// scope is the name of the instrumentation that makes the spans.
	scope = "orderprocessor"
	// stopTimeout is how long Stop waits for the last spans to be sent at most.
	stopTimeout = 5 * time.Second
)

// Config says whose spans they are.
type Config struct {
	// Service is the name of the program. OTEL_SERVICE_NAME is stronger.
	Service string
	// Instance tells this process from all others of the service.
	Instance string
	// Log receives a line when spans do not reach the collector.
	Log *slog.Logger
}

// Provider makes spans and sends those that are sampled to the collector. It is
// safe for concurrent use.
type Provider struct {
	*sdktrace.TracerProvider
	exporter sdktrace.SpanExporter
}

// New returns a provider that has sent nothing yet. What OpenTelemetry lets be
// configured, the exporter, the sampler, their limits, it reads from the OTEL_
// variables of the process. It returns an error for an exporter that is not known
// and for attributes of the resource that cannot be read.
func New(ctx context.Context, cfg Config) (*Provider, error) {
	whose, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(cfg.Service), semconv.ServiceInstanceID(cfg.Instance)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read the attributes of traces: %w", err)
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("set up the exporter of traces: %w", err)
	}
	return &Provider{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithResource(whose)),
		exporter:       &patient{SpanExporter: exporter, log: cfg.Log},
	}, nil
}

// Start begins to send, in the background. It may be called once.
func (p *Provider) Start() { p.RegisterSpanProcessor(sdktrace.NewBatchSpanProcessor(p.exporter)) }

// Stop sends what is left, for as long as the grace at most and never for more than
// five seconds; the rest is lost. It is safe to call twice.
func (p *Provider) Stop(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(grace, stopTimeout))
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}

// Tracer returns what makes our spans of a provider. It returns nil for no provider:
// then traces are off, and its owner makes none.
func Tracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		return nil
	}
	return p.Tracer(scope)
}
