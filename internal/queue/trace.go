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
	// publish is the operation of an order that is put into its queue.
	publish = "publish"
	// attempt is the operation of a delivery to the handler.
	attempt = "attempt"
)

// publications are the spans of orders on their way into their queues, in turn. It is
// empty while traces are off.
type publications []trace.Span

// publish begins a span for each order, in its trace, and returns the orders with
// the span as the parent of what follows.
func (p *Producer) publish(waiting []order.Handover) ([]order.Handover, publications) {
	if p.tracer == nil {
		return waiting, nil
	}
	waiting = slices.Clone(waiting)
	spans := make(publications, len(waiting))
	for i, h := range waiting {
		waiting[i], spans[i] = p.publishOne(h)
	}
	return waiting, spans
}

func (p *Producer) publishOne(h order.Handover) (order.Handover, trace.Span) {
	ctx, span := p.tracer.Start(traces.WithContext(context.Background(), h.Trace), publish+" "+string(h.Record.Queue),
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(semconv.MessagingOperationTypeSend),
		trace.WithAttributes(traces.Hop(publish, h.Record.Queue, h.Record.ID)...))
	h.Trace = traces.ContextOf(ctx)
	return h, span
}

// fail marks the spans from one place up to another as failed if there is an error.
func (s publications) fail(from, to int, err error) {
	if s == nil {
		return
	}
	for _, span := range s[from:to] {
		traces.Fail(span, err)
	}
}

func (s publications) end() {
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
	ctx, span := c.tracer.Start(ctx, attempt+" "+name, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(semconv.MessagingOperationTypeProcess),
		trace.WithAttributes(traces.Hop(attempt, order.Queue(name), id)...))
	defer span.End()
	err := c.handler.Work(ctx, id)
	traces.Fail(span, err)
	return err
}
