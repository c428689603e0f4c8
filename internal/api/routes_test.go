package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/spectest"
)

// TestRoutes has the routes that the specification has, each and no other.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var got []string
	for _, route := range serve(t, parts{}).server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		apart := strings.HasPrefix(path, "/monitoring") || strings.HasPrefix(path, "/docs/") || strings.HasPrefix(path, "/page/")
		if method != "HEAD" && !apart {
			got = append(got, route)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(spectest.Load(t).Operations(), got); diff != "" {
		t.Error(diff)
	}
}

// request is an ordinary request to one operation.
type request struct{ operation, path, body, scope string }

func (r request) method() string {
	method, _, _ := strings.Cut(r.operation, " ")
	return method
}

// requests has one request for each operation of orders and queues, with the scope that
// the operation needs.
func requests() []request {
	return []request{
		{"POST /orders", "/orders", body(), "submit"},
		{"GET /orders", "/orders", "", "read"},
		{"POST /orders/batch", "/orders/batch", "[" + body() + "]", "submit"},
		{"POST /orders/retry", "/orders/retry", `{"status":"failed"}`, "admin"},
		{"GET /orders/{id}", "/orders/ord_1", "", "read"},
		{"GET /orders/{id}/events", "/orders/ord_1/events", "", "read"},
		{"POST /orders/{id}/cancel", "/orders/ord_1/cancel", `{"reason":"ordered twice"}`, "submit"},
		{"POST /orders/{id}/retry", "/orders/ord_1/retry", "", "admin"},
		{"GET /queues", "/queues", "", "read"},
		{"GET /queues/{name}/corrupt", "/queues/low/corrupt", "", "read"},
		{"POST /queues/{name}/pause", "/queues/low/pause", "", "admin"},
		{"POST /queues/{name}/resume", "/queues/low/resume", "", "admin"},
		{"GET /stats", "/stats", "", "read"},
	}
}

// TestRequests keeps the list complete: it is what the tests of every operation use.
func TestRequests(t *testing.T) {
	t.Parallel()
	all := []string{"GET /", "GET /docs", "GET /events", "GET /health", "GET /openapi.json", "GET /openapi.yaml"}
	for _, r := range requests() {
		all = append(all, r.operation)
	}
	slices.Sort(all)
	if diff := cmp.Diff(spectest.Load(t).Operations(), all); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownQuery refuses a query where orders and queues take none, and does
// nothing; the rest is for programs that add one without asking.
func TestUnknownQuery(t *testing.T) {
	b := open(t)
	for _, r := range requests() {
		if r.operation == "GET /orders" || r.operation == "GET /stats" {
			continue // the list takes a query; see TestListRefuses
		}
		t.Run(r.operation, func(t *testing.T) {
			b.wantRefusal(t, r.method(), r.path+"?force=%31&colour", r.body, "colour unknown_field", "force unknown_field")
			b.wantRefusal(t, r.method(), r.path+"?a=%zz", r.body, "query invalid")
		})
	}
	b.empty(t)
	for path, code := range map[string]int{
		"/stats": 200, "/health": 503, "/openapi.yaml": 200, "/openapi.json": 200, "/docs": 200,
	} {
		if a := b.ask(t, "GET", path+"?colour=red", ""); a.code != code {
			t.Errorf("%s with a query is %d %.200s", path, a.code, a.body)
		}
	}
}

// TestUnreadBodies does not take the body of a request that needs none for the next request.
func TestUnreadBodies(t *testing.T) {
	b := open(t)
	hidden := "POST /queues/critical/pause HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
	many := strings.Repeat(hidden, 10_000)
	for _, text := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(hidden), hidden),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden),
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(many), many),
	} {
		for _, path := range []string{"/orders/ord_1/retry", "/queues/low/pause", "/queues/low/resume"} {
			all := b.say(t, "POST "+path+" HTTP/1.1\r\nHost: a\r\n"+text+"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
			if len(all) == 0 || len(all) > 2 || len(all) == 2 && !strings.Contains(string(all[1].body), `"instance":"/last"`) {
				t.Errorf("%s with %.30q has %d answers: %+v", path, text, len(all), all)
			}
		}
	}
	if n := b.rdb.Exists(t.Context(), "asynq:{critical}:paused").Val(); n != 0 {
		t.Error("what a body said was done")
	}
}
