package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"orderprocessor/internal/redistest"
)

// receiver is a collector that understands OTLP over HTTP.
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

// of is what came of a trace.
func (r *receiver) of(id trace.TraceID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.spans[id.String()]))
}

// process is one of the programs as a process of its own.
type process struct {
	*exec.Cmd
	log *logBuffer
}

func startProcess(t *testing.T, name string, env []string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{exec.CommandContext(t.Context(), self), &logBuffer{}}
	p.Env = slices.Concat(env, []string{mainVariable + "=" + name, "ORDERS_LOG_LEVEL=debug"})
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, name+" has asked Redis", func() bool { return strings.Contains(p.log.String(), "append-only") })
	return p
}

// end tells the process to stop, which it must do without an error.
func (p *process) end(t *testing.T) {
	t.Helper()
	_ = p.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	eventually(t, "the process has ended", func() bool { return len(ended) > 0 })
	if err := <-ended; err != nil {
		t.Errorf("exit: %v; log: %s", err, p.log)
	}
}

// lines are those of the log with a message.
func (p *process) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for text := range strings.Lines(p.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("the log has a line that is none: %q", text)
		}
		if line["msg"] == message {
			found = append(found, line)
		}
	}
	return found
}

// address is where an API process listens.
func (p *process) address(t *testing.T) string {
	t.Helper()
	return fmt.Sprint("http://", p.lines(t, "API is listening")[0]["addr"])
}

// TestTracesReachACollector runs both programs as processes: what OpenTelemetry's
// own variables say is done, and what was not sent yet is sent at the end.
func TestTracesReachACollector(t *testing.T) {
	t.Parallel()
	got := &receiver{spans: map[string][]string{}}
	server := httptest.NewServer(got)
	defer server.Close()
	shop := newShop(t)
	env := environ(redistest.Start(t).URL(), "ORDERS_FULFILMENT_URL="+shop.URL, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL,
		"OTEL_BSP_SCHEDULE_DELAY=3600000")
	api, worker := startProcess(t, "api", env), startProcess(t, "worker", slices.Concat(env, []string{"OTEL_SERVICE_NAME=workers-of-mine"}))
	client := parent(1)
	body := strings.Replace(order, "tea", "422", 1)
	if code := send(t, http.MethodPost, api.address(t)+"/orders", body, traceparent(client)); code != 201 {
		t.Fatalf("answered %d", code)
	}
	eventually(t, "the order has ended", func() bool { return len(worker.lines(t, "order settled")) > 0 })
	api.end(t)
	worker.end(t)
	want := []string{
		"orderprocessor-api: POST /orders", "orderprocessor-api: publish default",
		"workers-of-mine: POST", "workers-of-mine: attempt default",
	}
	if diff := cmp.Diff(want, got.of(client.TraceID())); diff != "" {
		t.Errorf("the collector has other spans (-want +got):\n%s", diff)
	}
}

// TestCollectorAway has orders worked and the programs end, with a collector that
// refuses, one that hangs, and one that answers with errors.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(failing.Close)
	rows := []struct{ name, protocol, endpoint, told string }{
		{"refuses", "http/protobuf", "http://" + nobody(t), "spans do not reach the collector and are lost"},
		{"hangs", "http/protobuf", "http://" + silent(t), "the last spans were not sent"},
		{"hangs by gRPC", "grpc", "http://" + silent(t), "the last spans were not sent"},
		{"answers 418", "http/protobuf", failing.URL, "spans do not reach the collector and are lost"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// A queue that is soon full, and is sent at once: it holds up nobody.
			env := environ(redistest.Start(t).URL(), "OTEL_EXPORTER_OTLP_PROTOCOL="+row.protocol, "OTEL_EXPORTER_OTLP_ENDPOINT="+row.endpoint,
				"OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_BSP_MAX_QUEUE_SIZE=8", "ORDERS_SHUTDOWN_TIMEOUT=2s")
			api, worker := startProcess(t, "api", env), startProcess(t, "worker", env)
			const orders = 100
			for n := range orders {
				if code := send(t, http.MethodPost, api.address(t)+"/orders", simpleOrder(n), http.Header{}); code != 201 {
					t.Fatalf("answered %d", code)
				}
			}
			eventually(t, "the orders have ended", func() bool { return len(worker.lines(t, "order settled")) == orders })
			for _, p := range []*process{api, worker} {
				p.end(t)
				if n := len(p.lines(t, row.told)); n != 1 {
					t.Errorf("%q is logged %d times", row.told, n)
				}
				if n := len(p.lines(t, "OpenTelemetry reports an error")); n > 0 {
					t.Errorf("%d errors went another way", n)
				}
			}
		})
	}
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// silent is an address where connections are taken and never answered.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestWrongTracesEndTheStart exits with 2 for a value that OpenTelemetry would pass
// over, and with 1 and a reason for one that only it can read.
func TestWrongTracesEndTheStart(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, variable string
		code           int
		told           string
	}{
		{"unknown exporter", "OTEL_TRACES_EXPORTER=zipkin", 2, "OTEL_TRACES_EXPORTER must be otlp, console or none"},
		{"malformed attributes", "OTEL_RESOURCE_ATTRIBUTES=nonsense", 1, "read the attributes of traces"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Env = append(environ("unix:///nowhere"), mainVariable+"=worker", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", row.variable)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != row.code || !strings.Contains(string(out), row.told) {
				t.Errorf("exit status %d; it says %s", code, out)
			}
		})
	}
}
