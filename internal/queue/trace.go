package queue

import (
	"context"
	"slices"

	"github.com/hibiken/asynq"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

const (
	// publish is the operation of enqueuing an order.
	publish = "publish"
	// attempt is the operation of a delivery to the handler.
	attempt = "attempt"
)

// enqueueSpans are the spans of orders being enqueued, in the same order. It is empty
// while traces are off.
type enqueueSpans []trace.Span

// startSpans starts a span for each order, in the trace of its origin, and returns the
// orders with the span as their origin.
func (p *Producer) startSpans(waiting []order.Handover) ([]order.Handover, enqueueSpans) {
	if p.tracer == nil {
		return waiting, nil
	}
	waiting = slices.Clone(waiting)
	spans := make(enqueueSpans, len(waiting))
	for i, h := range waiting {
		ctx, span := p.tracer.Start(traces.WithContext(context.Background(), h.Trace), publish+" "+string(h.Record.Queue),
			trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithAttributes(semconv.MessagingOperationTypeSend),
			trace.WithAttributes(traces.Hop(publish, h.Record.Queue, h.Record.ID)...))
		waiting[i].Trace, spans[i] = traces.ContextOf(ctx), span
	}
	return waiting, spans
}

// fail marks the spans from number from up to, not including, number to as failed, unless
// err is nil.
func (s enqueueSpans) fail(from, to int, err error) {
	if s == nil {
		return
	}
	for _, span := range s[from:to] {
		traces.Fail(span, err)
	}
}

func (s enqueueSpans) end() {
	for _, span := range s {
		span.End()
	}
}

// work hands a delivery to the handler, in a span of its own in the order's trace.
func (c *Consumer) work(ctx context.Context, id string) error {
	if c.tracer == nil {
		return c.handler.Work(ctx, id)
	}
	name, _ := asynq.GetQueueName(ctx)
	q := c.names.queue[name]
	ctx, span := c.tracer.Start(ctx, attempt+" "+string(q), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(semconv.MessagingOperationTypeProcess),
		trace.WithAttributes(traces.Hop(attempt, q, id)...))
	defer span.End()
	err := c.handler.Work(ctx, id)
	traces.Fail(span, err)
	return err
}
