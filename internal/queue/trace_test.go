package queue_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/traces"
)

// TestSpansOfOrdersThatAreNotQueued holds that the spans of orders say which could
// not be queued: one that has a damaged task, and all when Redis is away.
func TestSpansOfOrdersThatAreNotQueued(t *testing.T) {
	b := open(t)
	spans := tracetest.NewInMemoryExporter()
	producer := queue.NewProducer(b.rdb, queue.ProducerConfig{
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
	if err := b.rdb.HSet(t.Context(), "asynq:{low}:t:o2", "msg", "damaged", "state", "pending").Err(); err != nil {
		t.Fatal(err)
	}
	if got := publish(t.Context()); got["o1"] || !got["o2"] || got["o3"] {
		t.Errorf("failed beside a damaged task: %v", got)
	}
	b.server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := publish(ctx); !got["o1"] || !got["o2"] || !got["o3"] {
		t.Errorf("failed without Redis: %v", got)
	}
}

// TestOrdersThatArePutBackKeepTheirTrace holds that the next worker goes on in the trace
// that an order came with.
func TestOrdersThatArePutBackKeepTheirTrace(t *testing.T) {
	s := openTasks(t)
	came := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true})
	origin := trace.ContextWithRemoteSpanContext(t.Context(), came)
	if err := s.EnqueueAll(t.Context(), []order.Handover{{Record: record("o1", order.QueueDefault), Trace: traces.ContextOf(origin)}}); err != nil {
		t.Fatal(err)
	}
	s.fetchNext(t, "o1")
	orphans := s.watch(t, 12)
	if done, err := s.Requeue(t.Context(), orphans[0]); !done || err != nil {
		t.Fatalf("put back: %t, %v", done, err)
	}
	delivered := make(chan trace.SpanContext, 1)
	s.consume(t, config(), func(ctx context.Context, _ string) error {
		delivered <- trace.SpanContextFromContext(ctx)
		return nil
	})
	if got := receive(t, "the order is delivered", delivered); got.TraceID() != came.TraceID() {
		t.Errorf("it is delivered in trace %s, and came with %s", got.TraceID(), came.TraceID())
	}
}
