package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/programtest"
)

// TestTraceOfAnOrder follows orders from the client's span to the shop.
func TestTraceOfAnOrder(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true, "ORDERS_MAX_ATTEMPTS=2", "ORDERS_TRACE_URL=https://traces.example/{trace_id}")
	rows := []struct {
		name, id, item, more string
		want                 []string
	}{
		{"completed", "o-1", "204", `"amount":12.5`, []string{
			"server POST /orders http.route=/orders http.response.status_code=201 request.id=r-o-1",
			"  producer publish default order.id=o-1 messaging.destination.name=default messaging.operation.type=send",
			"    consumer attempt default order.id=o-1 messaging.destination.name=default messaging.operation.type=process " +
				"order.attempt=1 order.handling=standard order.status=completed",
			"      client POST http.response.status_code=204 order.id=o-1 order.attempt=1",
		}},
		{"completed by the second attempt", "o-2", "503 200", `"amount":12.5,"priority":1`, []string{
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
			if code := send(t, http.MethodPost, tr.url+"/orders", body, header).code; code != 201 {
				t.Fatalf("answered %d", code)
			}
			tr.settled(t, row.id)
			spans := tr.of(t, client.TraceID(), len(row.want))
			if diff := cmp.Diff(row.want, tree(spans, client.SpanID(), allAttributes...)); diff != "" {
				t.Errorf("the trace differs (-want +got):\n%s", diff)
			}
			tr.checkShop(t, row.id, spans)
			got := ask(t, http.MethodGet, tr.url+"/orders/"+row.id, "").body
			if id := client.TraceID().String(); got["trace_id"] != id || got["trace_url"] != "https://traces.example/"+id {
				t.Errorf("the order names the trace %v at %v", got["trace_id"], got["trace_url"])
			}
			for _, private := range []string{"Jane", "Quince", "Bob"} {
				if strings.Contains(fmt.Sprintf("%+v", spans), private) {
					t.Errorf("the spans contain %q", private)
				}
			}
		})
	}
}

// TestTracesOfManyClients sends orders that share batches: each stays in the trace of its
// client.
func TestTracesOfManyClients(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	const clients, batch = 20, 40
	var sending sync.WaitGroup
	for n := range clients {
		sending.Go(func() {
			code := send(t, http.MethodPost, tr.url+"/orders", orderOf(fmt.Sprint("many-", n), "204", 12.5), traceparent(parent(n))).code
			if code != 201 {
				t.Errorf("answered %d", code)
			}
		})
	}
	sending.Wait()
	all := make([]string, batch)
	for n := range batch {
		all[n] = orderOf(fmt.Sprint("many-", clients+n), "204", 12.5)
	}
	if code := send(t, http.MethodPost, tr.url+"/orders/batch", "["+strings.Join(all, ",")+"]", traceparent(parent(clients))).code; code != 200 {
		t.Fatalf("the batch is answered %d", code)
	}
	chain := func(n int) []string {
		id := fmt.Sprint(" order.id=many-", n)
		return []string{"  producer publish default" + id, "    consumer attempt default" + id, "      client POST" + id}
	}
	for n := range clients {
		want := append([]string{"server POST /orders"}, chain(n)...)
		spans := tr.of(t, parent(n).TraceID(), len(want))
		if diff := cmp.Diff(want, tree(spans, parent(n).SpanID(), "order.id")); diff != "" {
			t.Errorf("trace %d differs (-want +got):\n%s", n, diff)
		}
		tr.checkShop(t, fmt.Sprint("many-", n), spans)
	}
	spans := tr.of(t, parent(clients).TraceID(), 1+3*batch)
	lines := tree(spans, parent(clients).SpanID(), "order.id")
	if len(lines) != 1+3*batch || lines[0] != "server POST /orders/batch" {
		t.Fatalf("the trace of the batch has %d spans: %v", len(lines), lines)
	}
	for n := clients; n < clients+batch; n++ {
		if own := strings.Join(chain(n), "\n") + "\n"; !strings.Contains(strings.Join(lines, "\n")+"\n", own) {
			t.Errorf("order %d has no spans of its own", n)
		}
		tr.checkShop(t, fmt.Sprint("many-", n), spans)
	}
}

// TestTracesOfRequests lists which requests have a span.
func TestTracesOfRequests(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	rows := []struct{ method, path, want string }{
		{"GET", "/orders/none", "server GET /orders/{id} http.route=/orders/{id} http.response.status_code=404 request.id=r order.id=none"},
		{"HEAD", "/orders", "server HEAD /orders http.route=/orders http.response.status_code=200 request.id=r"},
		{"GET", "/orders/jane,doe", "server GET /orders/{id} http.route=/orders/{id} http.response.status_code=404 request.id=r"},
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
		got := strings.Join(tree(tr.of(t, parent(i).TraceID(), 0), parent(i).SpanID(), allAttributes...), "\n")
		if got != row.want {
			t.Errorf("%s %s has %q, want %q", row.method, row.path, got, row.want)
		}
	}
}

// TestTracesOfFailures checks that a failure of the service is marked.
func TestTracesOfFailures(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	tr.redis.Kill()
	send(t, http.MethodGet, tr.url+"/orders/o", "", traceparent(parent(1)))
	got := tree(tr.of(t, parent(1).TraceID(), 1), parent(1).SpanID(), allAttributes...)
	if len(got) != 1 || !strings.Contains(got[0], "status_code=503 error.type=503") || !strings.HasSuffix(got[0], "Error()") {
		t.Errorf("the spans are %q", got)
	}
}

// TestRetriedOrderIsInTheTraceOfItsRetry retries a failed order. On a slow machine the
// enqueueing may fail; recovery then enqueues the order in a trace of its own, and another
// one is tried.
func TestRetriedOrderIsInTheTraceOfItsRetry(t *testing.T) {
	t.Parallel()
	tr := startTraced(t, true)
	for n := 1; ; n++ {
		id, retry := fmt.Sprint("o-", n), parent(2*n+1)
		if !tr.retryFailed(t, id, parent(2*n), retry) {
			continue
		}
		want := []string{
			"server POST /orders/{id}/retry order.id=" + id, "  producer publish default order.id=" + id,
			"    consumer attempt default order.id=" + id, "      client POST order.id=" + id,
		}
		if diff := cmp.Diff(want, tree(tr.of(t, retry.TraceID(), 4), retry.SpanID(), "order.id")); diff != "" {
			t.Errorf("the trace of the retry differs (-want +got):\n%s", diff)
		}
		return
	}
}

// retryFailed submits an order that fails, retries it in a second trace, and reports
// whether all of that happened without a repair.
func (tr *traced) retryFailed(t *testing.T, id string, submission, retry trace.SpanContext) bool {
	t.Helper()
	before := tr.repaired(t)
	if code := send(t, http.MethodPost, tr.url+"/orders", orderOf(id, "422 204", 12.5), traceparent(submission)).code; code != 201 {
		t.Fatalf("answered %d", code)
	}
	tr.settled(t, id)
	rdb := tr.redis.Client()
	programtest.Until(t, "the first run is acknowledged", func() bool {
		return rdb.ZScore(t.Context(), "asynq:{default}:archived", id).Err() == nil
	})
	if code := send(t, http.MethodPost, tr.url+"/orders/"+id+"/retry", "", traceparent(retry)).code; code != 202 {
		t.Fatalf("the retry is answered %d", code)
	}
	tr.settled(t, id)
	return tr.repaired(t) == before
}

// repaired returns how many orders had to be enqueued by recovery.
func (tr *traced) repaired(t *testing.T) any {
	t.Helper()
	books, _ := ask(t, http.MethodGet, tr.url+"/stats", "").body["ledger"].(map[string]any)
	repairs, _ := books["repairs"].(map[string]any)
	return repairs["missing_task"]
}

// TestHostileTraces sends malformed and oversized trace headers, with traces on and off.
// The order is accepted, and the shop receives nothing unchecked.
func TestHostileTraces(t *testing.T) {
	t.Parallel()
	good := traceparent(parent(7)).Get("Traceparent")
	unsampled := good[:len(good)-1] + "0"
	rows := []struct {
		name   string
		header http.Header
		ours   bool // whether the trace continues
		state  string
	}{
		{"good", http.Header{"Traceparent": {good}, "Tracestate": {"a=1"}}, true, "a=1"},
		{"not sampled", http.Header{"Traceparent": {unsampled}}, true, ""},
		{"nothing", http.Header{}, false, ""},
		{"state alone", http.Header{"Tracestate": {"a=1"}}, false, ""},
		{"baggage", http.Header{"Baggage": {"user=jane"}}, false, ""},
		{"words", http.Header{"Traceparent": {"hello"}}, false, ""},
		{"zero trace", http.Header{"Traceparent": {"00-" + strings.Repeat("0", 32) + "-0200070000000000-01"}}, false, ""},
		{"zero span", http.Header{"Traceparent": {good[:36] + strings.Repeat("0", 16) + "-01"}}, false, ""},
		{"upper case", http.Header{"Traceparent": {strings.ToUpper("00-abcdef" + good[9:])}}, false, ""},
		{"version ff", http.Header{"Traceparent": {"ff" + good[2:]}}, false, ""},
		{"long", http.Header{"Traceparent": {good + strings.Repeat("0", 4000)}}, false, ""},
		{"control characters", http.Header{"Traceparent": {good + "\t\t-"}}, false, ""},
		{"two", http.Header{"Traceparent": {good, good}}, false, ""},
		{"malformed state", http.Header{"Traceparent": {good}, "Tracestate": {"=,=;"}}, true, ""},
		{"long state", http.Header{"Traceparent": {good}, "Tracestate": {"a=" + strings.Repeat("x", 250) + ",b=" + strings.Repeat("x", 250) + ",c=1234567"}}, true, ""},
	}
	for _, on := range []bool{true, false} {
		tr := startTraced(t, on)
		for i, row := range rows {
			t.Run(fmt.Sprintf("%s, traces %v", row.name, on), func(t *testing.T) {
				t.Parallel()
				id := fmt.Sprint("h-", i)
				body := orderOf(id, "204", 12.5)
				if code := send(t, http.MethodPost, tr.url+"/orders", body, row.header).code; code != 201 {
					t.Fatalf("answered %d", code)
				}
				tr.settled(t, id)
				h := tr.shop.headers(id)[0]
				sent := h.Get("Traceparent")
				if strings.Contains(sent, parent(7).TraceID().String()) != row.ours || !on && !row.ours && sent != "" {
					t.Errorf("the shop receives %q", sent)
				}
				if !on && row.ours && sent != row.header.Get("Traceparent") {
					t.Errorf("the client's %q has become %q", row.header.Get("Traceparent"), sent)
				}
				if h.Get("Tracestate") != row.state || h.Get("Baggage") != "" {
					t.Errorf("state is %q, baggage %q", h.Get("Tracestate"), h.Get("Baggage"))
				}
				if row.name == "not sampled" && !strings.HasSuffix(sent, "-00") {
					t.Errorf("the client did not sample, and the span is sampled: %q", sent)
				}
			})
		}
		if !on && len(tr.spans.GetSpans()) > 0 {
			t.Error("there are spans although traces are off")
		}
	}
}
