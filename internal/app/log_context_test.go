package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/redistest"
)

// TestIDsInTheLog holds what lines say of the request, the order and the trace they
// belong to, although no spans are made.
func TestIDsInTheLog(t *testing.T) {
	t.Parallel()
	shop := newShop(t)
	env := environ(redistest.Start(t).URL(), "ORDERS_FULFILMENT_URL="+shop.URL, "ORDERS_RETRY_BASE=1ms", "ORDERS_MAX_ATTEMPTS=2")
	api, worker := startProcess(t, "api", env), startProcess(t, "worker", env)
	client := parent(1)
	header := traceparent(client)
	header.Set("X-Request-Id", "r-1")
	body := strings.Replace(order, "tea", "503 422", 1)
	if code := send(t, http.MethodPost, api.address(t)+"/orders", body, header); code != 201 {
		t.Fatalf("answered %d", code)
	}
	eventually(t, "the order has ended", func() bool { return len(worker.lines(t, "order settled")) > 0 })
	api.end(t)
	worker.end(t)
	ids := func(p *process, message string, names ...string) (found []any) {
		for _, name := range append(names, "trace_id", "span_id") {
			found = append(found, p.lines(t, message)[0][name])
		}
		return found
	}
	traced := []any{client.TraceID().String(), client.SpanID().String()}
	if diff := cmp.Diff(append([]any{"r-1"}, traced...), ids(api, "request", "request_id")); diff != "" {
		t.Errorf("the line of the request differs (-want +got):\n%s", diff)
	}
	for _, message := range []string{"attempt failed", "order settled"} {
		if diff := cmp.Diff(append([]any{"ord_1"}, traced...), ids(worker, message, "order_id")); diff != "" {
			t.Errorf("the line %q differs (-want +got):\n%s", message, diff)
		}
	}
	if text := api.log.String(); strings.Count(text, `"request_id":"r-1"`) != 1 {
		t.Errorf("the request is named more than once: %s", text)
	}
}
