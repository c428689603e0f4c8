package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// EnqueueAll is Enqueue for many orders, whose tasks travel to Redis together, each
// with the trace of its origin. It returns an error when one or more of them could
// not be queued, order.ErrUnavailable when Redis could not be asked: then any of the
// orders may have no task.
func (p *Producer) EnqueueAll(ctx context.Context, waiting []order.Handover) error {
	if len(waiting) == 0 {
		return nil
	}
	waiting, spans := p.publish(waiting)
	defer spans.end()
	var held outbox
	holding := context.WithValue(ctx, outboxKey{}, &held)
	for _, h := range waiting {
		if _, err := p.Enqueue(traced(holding, h.Origin), h.Record); err != nil {
			return err
		}
	}
	added := held.send(ctx, p.rdb, func(pipe redis.Pipeliner) { announce(ctx, pipe, waiting) })
	var failed []error
	for i, h := range waiting {
		if len(added) == len(waiting) && added[i] {
			continue
		}
		// There is a task already, or Redis could not be asked: by itself, the order
		// meets the same again.
		_, err := p.Enqueue(traced(ctx, h.Origin), h.Record)
		if errors.Is(err, order.ErrUnavailable) {
			spans.fail(i, len(waiting), err)
			return fmt.Errorf("enqueue %d orders: %w", len(waiting), err)
		}
		spans.fail(i, i+1, err)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// traced is ctx with the trace of the origin.
func traced(ctx, origin context.Context) context.Context {
	span := trace.SpanContextFromContext(origin)
	if !span.IsValid() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, span)
}
