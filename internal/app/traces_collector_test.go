package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"orderprocessor/internal/app"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// receiver is a collector for OTLP over HTTP.
type receiver struct {
	mu    sync.Mutex
	spans map[string][]string // service and name of the spans of a trace
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var sent collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &sent); err != nil || req.Method != http.MethodPost || req.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range sent.ResourceSpans {
		var service string
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, in := range of.ScopeSpans {
			for _, s := range in.Spans {
				id := trace.TraceID(s.TraceId).String()
				r.spans[id] = append(r.spans[id], service+": "+s.Name)
			}
		}
	}
}

// of returns the spans of a trace.
func (r *receiver) of(id trace.TraceID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.spans[id.String()]))
}

// linesOf returns the lines of a log with a message. All lines must be JSON.
func linesOf(t *testing.T, p *programtest.TestProcess, message string) (found []map[string]any) {
	t.Helper()
	for text := range strings.Lines(p.Log()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil && !strings.Contains(text, "GOCOVERDIR") {
			t.Errorf("the log has a line that is not JSON: %q", text)
		}
		if line["msg"] == message {
			found = append(found, line)
		}
	}
	return found
}

// startMains runs both programs as processes, and returns the URL of the API.
func startMains(t *testing.T, env []string, ofWorker ...string) (api, worker *programtest.TestProcess, url string) {
	t.Helper()
	env = append(env, "ORDERS_LOG_LEVEL=debug", "ORDERS_LOG_FORMAT=json")
	api, worker = startMain(t, "api", env), startMain(t, "worker", slices.Concat(env, ofWorker))
	for _, p := range []*programtest.TestProcess{api, worker} {
		p.Await("append-only")
	}
	return api, worker, "http://" + api.Await(programtest.Listening)
}

// workOne has both programs process the order ord_1, sent with the request id r-1 in the
// trace of a client, and stops them.
func workOne(t *testing.T, item string, env []string, ofWorker ...string) (api, worker *programtest.TestProcess) {
	t.Helper()
	env = append(env, "ORDERS_FULFILMENT_URL="+newShop(t).URL, "ORDERS_RETRY_BASE=1ms")
	api, worker, url := startMains(t, env, ofWorker...)
	header := traceparent(parent(1))
	header.Set("X-Request-Id", "r-1")
	if code := send(t, http.MethodPost, url+"/orders", orderOf("ord_1", item, 12.5), header).code; code != 201 {
		t.Fatalf("answered %d", code)
	}
	programtest.Until(t, "the order has ended", func() bool { return len(linesOf(t, worker, "order settled")) > 0 })
	api.Stop()
	worker.Stop()
	return api, worker
}

// TestTracesReachACollector runs both programs as processes. They use OpenTelemetry's
// variables and send the last spans when they stop.
func TestTracesReachACollector(t *testing.T) {
	t.Parallel()
	got := &receiver{spans: map[string][]string{}}
	server := httptest.NewServer(got)
	defer server.Close()
	env := environ(redistest.Start(t).URL(), "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_BSP_SCHEDULE_DELAY=3600000")
	workOne(t, "422", env, "OTEL_SERVICE_NAME=workers-of-mine")
	want := []string{
		"orderprocessor-api: POST /orders", "orderprocessor-api: publish default",
		"workers-of-mine: POST", "workers-of-mine: attempt default",
	}
	if diff := cmp.Diff(want, got.of(parent(1).TraceID())); diff != "" {
		t.Errorf("the collector has other spans (-want +got):\n%s", diff)
	}
}

// TestCollectorAway checks that orders are processed and programs stop with a collector
// that refuses connections, hangs, or answers with errors.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(failing.Close)
	rows := []struct{ name, protocol, endpoint, message string }{
		{"refuses", "http/protobuf", "http://127.0.0.1:" + programtest.FreePorts(t, 1)[0], "spans do not reach the collector and are lost"},
		{"hangs", "http/protobuf", "http://" + silent(t), "the last spans were not sent"},
		{"hangs by gRPC", "grpc", "http://" + silent(t), "the last spans were not sent"},
		{"answers 418", "http/protobuf", failing.URL, "spans do not reach the collector and are lost"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// The queue of spans is soon full. Nobody waits for it.
			env := environ(redistest.Start(t).URL(), "OTEL_EXPORTER_OTLP_PROTOCOL="+row.protocol, "OTEL_EXPORTER_OTLP_ENDPOINT="+row.endpoint,
				"OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_BSP_MAX_QUEUE_SIZE=8", "ORDERS_SHUTDOWN_TIMEOUT=2s")
			api, worker, url := startMains(t, env)
			const orders = 100
			for n := range orders {
				programtest.Until(t, "an order is accepted", func() bool { // the machine may be busy
					return send(t, http.MethodPost, url+"/orders", orderOf(fmt.Sprint("many-", n), "204", 12.5), http.Header{}).code/100 == 2
				})
			}
			programtest.Until(t, "the orders have ended", func() bool { return len(linesOf(t, worker, "order settled")) == orders })
			for _, p := range []*programtest.TestProcess{api, worker} {
				p.Stop()
				if n := len(linesOf(t, p, row.message)); n != 1 {
					t.Errorf("%q is logged %d times", row.message, n)
				}
				if n := len(linesOf(t, p, "OpenTelemetry reports an error")); n > 0 {
					t.Errorf("%d errors were logged by OpenTelemetry", n)
				}
			}
		})
	}
}

// silent returns an address that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestInvalidTraces checks the exit status for variables of OpenTelemetry: 2 for a value
// that OpenTelemetry would ignore, 1 for one that only it can read.
func TestInvalidTraces(t *testing.T) {
	t.Parallel()
	for variable, row := range map[string]struct {
		code   int
		reason string
	}{
		"OTEL_TRACES_EXPORTER=zipkin":       {app.ExitUsage, "OTEL_TRACES_EXPORTER must be otlp, console or none"},
		"OTEL_RESOURCE_ATTRIBUTES=nonsense": {app.ExitFailure, "read the attributes of traces"},
	} {
		p := startMain(t, "worker", environ("unix:///nowhere", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", variable))
		if code := p.Exit(); code != row.code || !strings.Contains(p.Log(), row.reason) {
			t.Errorf("%s: exit status %d; the log is %s", variable, code, p.Log())
		}
	}
}

// TestIDsInTheLog checks that log lines contain the ids of their request, order and trace,
// even if traces are off.
func TestIDsInTheLog(t *testing.T) {
	t.Parallel()
	api, worker := workOne(t, "503 422", environ(redistest.Start(t).URL(), "ORDERS_MAX_ATTEMPTS=2"))
	ids := func(p *programtest.TestProcess, message string, names ...string) (found []any) {
		for _, name := range append(names, "trace_id", "span_id") {
			found = append(found, linesOf(t, p, message)[0][name])
		}
		return found
	}
	traced := []any{parent(1).TraceID().String(), parent(1).SpanID().String()}
	if diff := cmp.Diff(append([]any{"r-1"}, traced...), ids(api, "request", "request_id")); diff != "" {
		t.Errorf("the line of the request differs (-want +got):\n%s", diff)
	}
	for _, message := range []string{"attempt failed", "order settled"} {
		if diff := cmp.Diff(append([]any{"ord_1"}, traced...), ids(worker, message, "order_id")); diff != "" {
			t.Errorf("the line %q differs (-want +got):\n%s", message, diff)
		}
	}
	if text := api.Log(); strings.Count(text, `"request_id":"r-1"`) != 1 {
		t.Errorf("the request is named more than once: %s", text)
	}
}

// TestTrimTraces checks that white space is no part of the values, some of which
// OpenTelemetry would not recognise.
func TestTrimTraces(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", " console\r\n")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc\n")
	app.TrimTraces(os.Environ())
	newAPI(t, logTo(io.Discard), append(environ("redis://127.0.0.1:1/0"), os.Environ()...)) // OpenTelemetry reads them
	if got := os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"); got != "grpc" {
		t.Errorf("the protocol is %q", got)
	}
}
