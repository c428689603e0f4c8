package queue_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/traces"
)

// TestFailedSpans checks that the spans of orders which could not be enqueued are marked as
// failed: of one that has a corrupt task, and of all when Redis is away.
func TestFailedSpans(t *testing.T) {
	b := open(t)
	spans := tracetest.NewInMemoryExporter()
	producer := queue.NewProducer(b.RDB, queue.ProducerConfig{
		AttemptTimeout: time.Second, Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
	})
	waiting := make([]order.Handover, 3)
	for i, id := range []string{"o1", "o2", "o3"} {
		waiting[i] = order.Handover{Record: record(id, order.QueueLow), Trace: traces.ContextOf(t.Context())}
	}
	publish := func(ctx context.Context) (failed map[string]bool) {
		spans.Reset()
		_ = producer.EnqueueAll(ctx, waiting)
		failed = map[string]bool{}
		for _, s := range spans.GetSpans() {
			for _, a := range s.Attributes {
				if a.Key == "order.id" {
					failed[a.Value.AsString()] = s.Status.Code == codes.Error
				}
			}
		}
		if len(failed) != len(waiting) {
			t.Errorf("there are %d spans", len(failed))
		}
		return failed
	}
	queuetest.Must(t, b.RDB.HSet(t.Context(), "asynq:{low}:t:o2", "msg", "corrupt", "state", "pending").Err())
	if got := publish(t.Context()); got["o1"] || !got["o2"] || got["o3"] {
		t.Errorf("failed with a corrupt task: %v", got)
	}
	b.Server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := publish(ctx); !got["o1"] || !got["o2"] || !got["o3"] {
		t.Errorf("failed without Redis: %v", got)
	}
}
