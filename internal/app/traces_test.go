package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"orderprocessor/internal/app"
	"orderprocessor/internal/redistest"
)

// TestTraceOfAnOrder follows orders from the client's span to the shop, and holds
// each span to its parent and to what it says.
func TestTraceOfAnOrder(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true, "ORDERS_MAX_ATTEMPTS=2")
	rows := []struct {
		name, id, item, more string
		want                 []string
	}{
		{"taken", "o-1", "204", `"amount":12.5`, []string{
			"server POST /orders http.route=/orders http.response.status_code=201 request.id=r-o-1",
			"  producer publish default order.id=o-1 messaging.destination.name=default messaging.operation.type=send",
			"    consumer attempt default order.id=o-1 messaging.destination.name=default messaging.operation.type=process " +
				"order.attempt=1 order.handling=standard order.status=completed",
			"      client POST http.response.status_code=204 order.id=o-1 order.attempt=1",
		}},
		{"taken at the second attempt", "o-2", "503 200", `"amount":12.5,"priority":1`, []string{
			"server POST /orders http.route=/orders http.response.status_code=201 request.id=r-o-2",
			"  producer publish critical order.id=o-2 messaging.destination.name=critical messaging.operation.type=send",
			"    consumer attempt critical order.id=o-2 messaging.destination.name=critical messaging.operation.type=process " +
				"order.attempt=1 order.handling=expedited order.status=retrying Error(fulfilment answered 503 Service Unavailable)",
			"      client POST http.response.status_code=503 error.type=503 order.id=o-2 order.attempt=1 " +
				"Error(fulfilment answered 503 Service Unavailable)",
			"    consumer attempt critical order.id=o-2 messaging.destination.name=critical messaging.operation.type=process " +
				"order.attempt=2 order.handling=expedited order.status=completed",
			"      client POST http.response.status_code=200 order.id=o-2 order.attempt=2",
		}},
		{"refused for good", "o-3", "422", `"amount":1200`, []string{
			"server POST /orders http.route=/orders http.response.status_code=201 request.id=r-o-3",
			"  producer publish critical order.id=o-3 messaging.destination.name=critical messaging.operation.type=send",
			"    consumer attempt critical order.id=o-3 messaging.destination.name=critical messaging.operation.type=process " +
				"order.attempt=1 order.handling=priority order.status=failed Error(fulfilment answered 422 Unprocessable Entity)",
			"      client POST http.response.status_code=422 error.type=422 order.id=o-3 order.attempt=1 " +
				"Error(fulfilment answered 422 Unprocessable Entity)",
		}},
		{"rejected by a rule, which is no failure", "o-4", "204", `"amount":20000,"priority":3`, []string{
			"server POST /orders http.route=/orders http.response.status_code=201 request.id=r-o-4",
			"  producer publish critical order.id=o-4 messaging.destination.name=critical messaging.operation.type=send",
			"    consumer attempt critical order.id=o-4 messaging.destination.name=critical messaging.operation.type=process " +
				"order.attempt=1 order.status=rejected",
		}},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			client := parent(i)
			header := traceparent(client)
			header.Set("X-Request-Id", "r-"+row.id)
			body := fmt.Sprintf(`{"id":%q,%s,"items":[%q],"customer":"Jane Doe","address":"1 Quince Road","notes":"ask for Bob"}`, row.id, row.more, row.item)
			if code := send(t, http.MethodPost, tr.url+"/orders", body, header); code != 201 {
				t.Fatalf("answered %d", code)
			}
			tr.settled(t, row.id)
			spans := tr.of(t, client.TraceID(), len(row.want))
			if diff := cmp.Diff(row.want, tree(spans, client.SpanID(), "")); diff != "" {
				t.Errorf("the trace differs (-want +got):\n%s", diff)
			}
			tr.checkShop(t, row.id, spans)
			for _, private := range []string{"Jane", "Quince", "Bob"} {
				if strings.Contains(said(spans), private) {
					t.Errorf("the spans tell %q", private)
				}
			}
		})
	}
}

// TestTracesOfManyClients sends orders that travel to Redis together: each stays in
// the trace of its own client.
func TestTracesOfManyClients(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	const clients, batch = 60, 40
	var sending sync.WaitGroup
	for n := range clients {
		sending.Go(func() {
			code := send(t, http.MethodPost, tr.url+"/orders", simpleOrder(n), traceparent(parent(n)))
			if code != 201 {
				t.Errorf("answered %d", code)
			}
		})
	}
	sending.Wait()
	all := make([]string, batch)
	for n := range batch {
		all[n] = simpleOrder(clients + n)
	}
	if code := send(t, http.MethodPost, tr.url+"/orders/batch", "["+strings.Join(all, ",")+"]", traceparent(parent(clients))); code != 200 {
		t.Fatalf("the batch is answered %d", code)
	}
	for n := range clients {
		id := fmt.Sprint("many-", n)
		want := []string{"server POST /orders", "  producer publish default " + id, "    consumer attempt default " + id, "      client POST " + id}
		spans := tr.of(t, parent(n).TraceID(), len(want))
		if diff := cmp.Diff(want, names(spans, parent(n).SpanID(), "")); diff != "" {
			t.Errorf("trace %d differs (-want +got):\n%s", n, diff)
		}
		tr.checkShop(t, id, spans)
	}
	spans := tr.of(t, parent(clients).TraceID(), 1+3*batch)
	lines := names(spans, parent(clients).SpanID(), "")
	if len(lines) != 1+3*batch || lines[0] != "server POST /orders/batch" {
		t.Fatalf("the trace of the batch has %d spans: %v", len(lines), lines)
	}
	for n := range batch {
		id := fmt.Sprint("many-", clients+n)
		chain := strings.Join([]string{"  producer publish default " + id, "    consumer attempt default " + id, "      client POST " + id}, "\n")
		if !strings.Contains(strings.Join(lines, "\n")+"\n", chain+"\n") {
			t.Errorf("order %s has no chain of its own", id)
		}
		tr.checkShop(t, id, spans)
	}
}

func simpleOrder(n int) string {
	return fmt.Sprintf(`{"id":"many-%d","amount":12.5,"items":["204"],"customer":"Ada","address":"x"}`, n)
}

// TestTracesOfRequests says which requests have a span, and of what.
func TestTracesOfRequests(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	rows := []struct{ method, path, want string }{
		{"GET", "/orders/none", "server GET /orders/{id} http.route=/orders/{id} http.response.status_code=404 request.id=r order.id=none"},
		{"HEAD", "/orders", "server HEAD /orders http.route=/orders http.response.status_code=200 request.id=r"},
		{"GET", "/orders/jane@example.com", "server GET /orders/{id} http.route=/orders/{id} http.response.status_code=404 request.id=r"},
		{"POST", "/orders", "server POST /orders http.route=/orders http.response.status_code=400 request.id=r"},
		{"POST", "/queues/low/pause", "server POST /queues/{name}/pause http.route=/queues/{name}/pause http.response.status_code=200 request.id=r"},
		{"GET", "/stats", ""},
		{"GET", "/health", ""},
		{"GET", "/monitoring", ""},
		{"GET", "/docs", ""},
		{"GET", "/openapi.json", ""},
		{"GET", "/orders/none/of/it", ""},
	}
	for i, row := range rows {
		header := traceparent(parent(i))
		header.Set("X-Request-Id", "r")
		send(t, row.method, tr.url+row.path, "", header)
	}
	send(t, "GET", tr.url+"/orders/last", "", traceparent(parent(len(rows))))
	tr.of(t, parent(len(rows)).TraceID(), 1) // spans end before their answers are sent
	for i, row := range rows {
		got := strings.Join(tree(tr.of(t, parent(i).TraceID(), 0), parent(i).SpanID(), ""), "\n")
		if got != row.want {
			t.Errorf("%s %s has %q, want %q", row.method, row.path, got, row.want)
		}
	}
}

// TestTracesOfFailures marks what is our failure.
func TestTracesOfFailures(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	defer func() { _ = provider.Shutdown(context.Background()) }()
	cfg, _ := loadBoth(t, environ(redis.URL()))
	a, err := app.NewAPI(cfg, app.Options{Log: slog.New(slog.DiscardHandler), Traces: provider})
	if err != nil {
		t.Fatal(err)
	}
	start(t, a)
	eventually(t, "the API is ready", func() bool { return readyz(t, a).code == 200 })
	redis.Kill()
	send(t, http.MethodGet, "http://"+a.Addr()+"/orders/o", "", traceparent(parent(1)))
	got := tree(spans.GetSpans(), parent(1).SpanID(), "")
	if len(got) != 1 || !strings.Contains(got[0], "status_code=503 error.type=503") || !strings.HasSuffix(got[0], "Error()") {
		t.Errorf("the spans are %q", got)
	}
}

// TestRetriedOrderIsInTheTraceOfItsRetry gives a failed order another run.
func TestRetriedOrderIsInTheTraceOfItsRetry(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	body := strings.Replace(order, "tea", "422 204", 1)
	if code := send(t, http.MethodPost, tr.url+"/orders", body, traceparent(parent(1))); code != 201 {
		t.Fatalf("answered %d", code)
	}
	tr.settled(t, "ord_1")
	tr.of(t, parent(1).TraceID(), 4)
	if code := send(t, http.MethodPost, tr.url+"/orders/ord_1/retry", "", traceparent(parent(2))); code != 202 {
		t.Fatalf("the retry is answered %d", code)
	}
	spans := tr.of(t, parent(2).TraceID(), 4)
	want := []string{
		"server POST /orders/{id}/retry ord_1", "  producer publish default ord_1",
		"    consumer attempt default ord_1", "      client POST ord_1",
	}
	if diff := cmp.Diff(want, names(spans, parent(2).SpanID(), "")); diff != "" {
		t.Errorf("the trace of the retry differs (-want +got):\n%s", diff)
	}
}
