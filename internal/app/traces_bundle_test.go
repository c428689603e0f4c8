package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/app"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// shop answers the calls of an order in turn with the codes in its first item, or with 200,
// and keeps the headers of all calls by order.
type shop struct {
	*httptest.Server
	mu    sync.Mutex
	calls map[string][]http.Header
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{calls: map[string][]http.Header{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Data struct{ Order struct{ Items []string } }
	}
	_ = json.NewDecoder(r.Body).Decode(&sent)
	id := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	s.calls[id] = append(s.calls[id], r.Header.Clone())
	codes := strings.Fields(sent.Data.Order.Items[0])
	n := min(len(s.calls[id]), len(codes)) - 1
	s.mu.Unlock()
	code, err := strconv.Atoi(codes[n])
	if err != nil {
		code = http.StatusOK
	}
	w.WriteHeader(code)
}

// headers returns those of the calls for an order.
func (s *shop) headers(id string) []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls[id])
}

// traced is both programs, with their spans.
type traced struct {
	*system
	redis *redistest.Server
	shop  *shop
	spans *tracetest.InMemoryExporter
}

// startTraced starts both programs with a private Redis and a shop.
func startTraced(t *testing.T, on bool, more ...string) *traced {
	t.Helper()
	tr := &traced{redis: redistest.Start(t), shop: newShop(t), spans: tracetest.NewInMemoryExporter()}
	opts := app.Options{Log: slog.New(slog.DiscardHandler)}
	if on {
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(tr.spans))
		t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
		opts.Traces = provider
	}
	tr.system = startSystem(t, opts, environ(tr.redis.URL(), append(more,
		"ORDERS_FULFILMENT_URL="+tr.shop.URL, "ORDERS_RETRY_BASE=1ms", "ORDERS_RETRY_MAX=1ms")...))
	tr.awaitReady(t)
	return tr
}

// settled waits until an order has an outcome.
func (tr *traced) settled(t *testing.T, id string) {
	t.Helper()
	programtest.Until(t, id+" has ended", func() bool {
		return ask(t, http.MethodGet, tr.url+"/orders/"+id, "").body["success"] != nil
	})
}

// parent returns the n-th trace of a client.
func parent(n int) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, byte(n >> 8), byte(n)}, SpanID: trace.SpanID{2, byte(n >> 8), byte(n)},
		TraceFlags: trace.FlagsSampled, Remote: true,
	})
}

func traceparent(span trace.SpanContext) http.Header {
	return http.Header{"Traceparent": {fmt.Sprintf("00-%s-%s-%s", span.TraceID(), span.SpanID(), span.TraceFlags())}}
}

// of returns the spans of a trace, once there are so many.
func (tr *traced) of(t *testing.T, id trace.TraceID, count int) tracetest.SpanStubs {
	t.Helper()
	var found tracetest.SpanStubs
	programtest.Until(t, fmt.Sprintf("there are %d spans", count), func() bool {
		found = nil
		for _, s := range tr.spans.GetSpans() {
			if s.SpanContext.TraceID() == id {
				found = append(found, s)
			}
		}
		return len(found) >= count
	})
	slices.SortFunc(found, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	return found
}

// allAttributes are those that a tree shows, unless it is to show fewer.
var allAttributes = []attribute.Key{
	"http.route", "http.response.status_code", "error.type", "request.id", "order.id", "messaging.destination.name",
	"messaging.operation.type", "order.attempt", "order.handling", "order.status",
}

// tree writes the spans below a parent, one to a line, each indented below its own.
func tree(spans tracetest.SpanStubs, below trace.SpanID, show ...attribute.Key) (lines []string) {
	for _, s := range spans {
		if s.Parent.SpanID() != below {
			continue
		}
		line := []string{s.SpanKind.String(), s.Name}
		for _, key := range show {
			for _, a := range s.Attributes {
				if a.Key == key {
					line = append(line, fmt.Sprintf("%s=%s", key, a.Value.String()))
				}
			}
		}
		if s.Status.Code != 0 {
			line = append(line, fmt.Sprintf("%s(%s)", s.Status.Code, s.Status.Description))
		}
		lines = append(lines, strings.Join(line, " "))
		for _, child := range tree(spans, s.SpanContext.SpanID(), show...) {
			lines = append(lines, "  "+child)
		}
	}
	return lines
}

// checkShop compares the calls for an order with their spans.
func (tr *traced) checkShop(t *testing.T, id string, spans tracetest.SpanStubs) {
	t.Helper()
	var want, got []string
	for _, s := range spans {
		if s.SpanKind == trace.SpanKindClient && slices.Contains(s.Attributes, attribute.String("order.id", id)) {
			want = append(want, traceparent(s.SpanContext).Get("Traceparent"))
		}
	}
	for _, h := range tr.shop.headers(id) {
		got = append(got, h.Get("Traceparent"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the shop received other spans (-want +got):\n%s", diff)
	}
}
