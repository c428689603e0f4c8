package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// noIntake fails the test when an order gets as far as the intake.
func noIntake(t *testing.T) takes {
	t.Helper()
	return func(context.Context, order.Order) (order.Record, bool, error) {
		t.Error("an order got as far as the intake")
		return order.Record{}, false, order.ErrUnavailable
	}
}

// TestRefusedRequests answers what is no request to the API with a problem.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	rows := []struct {
		name, method, path string
		code               int
		allow              string
	}{
		{"unknown path", "GET", "/nothing", 404, ""},
		{"unknown path, POST", "POST", "/nothing", 404, ""},
		{"another case", "POST", "/Orders", 404, ""},
		{"below an order", "GET", "/orders/a/b", 404, ""},
		{"dots in the path", "GET", "/../etc/passwd", 404, ""},
		{"encoded control characters", "GET", "/%00%0d%0aX: y", 404, ""},
		{"long path", "GET", "/" + strings.Repeat("x", 12_000), 404, ""},
		{"slash after the list", "GET", "/orders/", 404, ""},
		{"slash after an order", "GET", "/orders/ord_1/", 404, ""},
		{"slash after a pause", "POST", "/queues/low/pause/", 404, ""},
		{"encoded slash before an id", "GET", "/orders%2Ford_1", 404, ""},
		{"encoded slash after an id", "POST", "/orders/ord_1%2Fcancel", 405, "GET, HEAD"},
		{"encoded slash after a queue", "POST", "/queues/low%2Fpause", 404, ""},
		{"two slashes", "GET", "/orders//ord_1", 404, ""},
		{"two slashes in front", "GET", "//orders/ord_1", 404, ""},
		{"dot", "GET", "/orders/./ord_1", 404, ""},
		{"dots", "GET", "/queues/../orders/ord_1", 404, ""},
		{"another case at the end", "GET", "/orders/ord_1/Events", 404, ""},
		{"no queue", "POST", "/queues//pause", 404, ""},
		{"stop a queue", "POST", "/queues/low/stop", 404, ""},
		{"one queue", "GET", "/queues/low", 404, ""},
		{"metrics", "GET", "/metrics", 404, ""},
		{"profiles", "GET", "/debug/pprof/", 404, ""},
		{"liveness", "GET", "/livez", 404, ""},
		{"no route has the method", "PATCH", "/orders", 405, "GET, HEAD, POST"},
		{"TRACE", "TRACE", "/orders", 405, "GET, HEAD, POST"},
		{"HTTP knows no such method", "BREW", "/orders", 405, "GET, HEAD, POST"},
		{"method in lower case", "get", "/orders", 405, "GET, HEAD, POST"},
		{"delete all orders", "DELETE", "/orders", 405, "GET, HEAD, POST"},
		{"put an order", "PUT", "/orders/ord_1", 405, "GET, HEAD"},
		{"post to an order", "POST", "/orders/ord_1", 405, "GET, HEAD"},
		{"post to stats", "POST", "/stats", 405, "GET, HEAD"},
		{"delete stats", "DELETE", "/stats", 405, "GET, HEAD"},
		{"post to health", "POST", "/health", 405, "GET, HEAD"},
		{"options of orders", "OPTIONS", "/orders", 405, "GET, HEAD, POST"},
		{"get a cancel", "GET", "/orders/ord_1/cancel", 405, "POST"},
		{"put a retry", "PUT", "/orders/ord_1/retry", 405, "POST"},
		{"post events", "POST", "/orders/ord_1/events", 405, "GET, HEAD"},
		{"put a batch", "PUT", "/orders/batch", 405, "GET, HEAD, POST"},
		{"post to queues", "POST", "/queues", 405, "GET, HEAD"},
		{"get a pause", "GET", "/queues/low/pause", 405, "POST"},
		{"post to the specification", "POST", "/openapi.json", 405, "GET, HEAD"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := s.ask(t, row.method, strings.ReplaceAll(row.path, " ", "%20"), "")
			p := a.problem(t, row.code)
			if p.Type != "about:blank" || p.Title != http.StatusText(row.code) {
				t.Errorf("type %q, title %q", p.Type, p.Title)
			}
			if got := a.header.Get("Allow"); got != row.allow {
				t.Errorf("Allow is %q; want %q", got, row.allow)
			}
			if len(p.Instance) > 400 {
				t.Errorf("instance has %d bytes", len(p.Instance))
			}
		})
	}
}

// TestRefusedByServer answers with a problem as well what no handler has seen.
func TestRefusedByServer(t *testing.T) {
	t.Parallel()
	p := taking(noIntake(t))
	p.cfg.LocalOnly = true
	s := serve(t, p)
	const tooLarge = "The body must have at most 262144 bytes."
	// fasthttp reads up to 8 KiB in advance.
	long := fmt.Sprintf("Content-Length: %d\r\n\r\n", httpserver.MaxBodyBytes+1) + strings.Repeat("x", 9000)
	for _, row := range []struct {
		line, headers string
		code          int
		detail        string
	}{
		{"POST /orders", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "The request is not valid HTTP."},
		{"POST /orders", "Content-Type: application/json\r\n" + long, 413, tooLarge},
		{"POST /orders/retry", "Content-Type: application/json\r\n" + long, 413, tooLarge},
		{"POST /orders/ord_1/cancel", "Content-Type: application/json\r\n" + long, 413, tooLarge},
		{"GET /docs", long, 413, tooLarge},
		{"GET /docs/swagger-ui.css", long, 413, tooLarge},
		{"GET /monitoring", long, 413, tooLarge},
		{"GET /monitoring/api/queues", long, 413, tooLarge},
		{"GET /", long, 413, tooLarge},
		{"GET /orders", "Accept-Language: en\r\n\r\n", 421, "Without keys the API answers browsers only as localhost or by its address."},
		{"GET /orders", "X-A: " + strings.Repeat("x", httpserver.MaxHeaderBytes) + "\r\n\r\n", 431, "Request line and headers must have at most 16384 bytes."},
	} {
		t.Run(fmt.Sprint(row.line, " ", row.code), func(t *testing.T) {
			a := s.sayOne(t, row.line+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+row.headers)
			if p := a.problem(t, row.code); p.Detail != row.detail {
				t.Errorf("detail is %q, want %q", p.Detail, row.detail)
			}
		})
	}
}

// TestHead answers HEAD like GET, without a body.
func TestHead(t *testing.T) {
	b := open(t)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	for path, code := range map[string]int{"/orders/ord_1": 200, "/orders/none": 404, "/stats": 200, "/orders": 200, "/orders/ord_1/cancel": 405, "/nothing": 404} {
		t.Run(path, func(t *testing.T) {
			a := b.ask(t, "HEAD", path, "")
			if a.code != code || len(a.body) != 0 || a.header.Get("X-Request-Id") == "" {
				t.Errorf("answer is %d with %d bytes, %v; want %d without", a.code, len(a.body), a.header, code)
			}
			if a.header.Get("Content-Length") == "0" {
				t.Error("the length is not that of GET")
			}
		})
	}
}

// TestMediaTypes refuses, on every route, a body that does not say it is JSON, plain and in
// UTF-8.
func TestMediaTypes(t *testing.T) {
	b := open(t)
	b.reach(t, orderID, order.StatusPending)
	for path, text := range map[string]string{
		"/orders": body(), "/orders/retry": `{"status":"failed"}`, "/orders/ord_1/cancel": `{}`, "/orders/batch": "[" + body() + "]",
	} {
		most := httpserver.MaxBodyBytes
		if path == "/orders/batch" {
			most = 0 // see TestBatchOfSixteenMebibytes
		}
		b.wantUnsupported(t, path, text, most)
	}
	if got := b.list(t, "/orders?status=pending").ids; len(got) != 1 {
		t.Errorf("orders %v wait", got)
	}
	b.ask(t, "POST", "/orders/batch", withID("a"), "Content-Type", ndjson+"; charset=iso-8859-1").problem(t, 415)
	b.batch(t, withID("a"), "Content-Encoding", "identity")
}

// TestLargestBody is not refused for its size.
func TestLargestBody(t *testing.T) {
	b := open(t)
	text := body()
	text += strings.Repeat(" ", httpserver.MaxBodyBytes-len(text))
	b.ask(t, "POST", "/orders", text).object(t, 201)
}
