package api_test

import (
	"context"
	"fmt"
	"io"
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

// TestRefusedMethods answers a method that no route takes, or that HTTP does not
// know at all, as any other refusal.
func TestRefusedMethods(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	for _, method := range []string{"PATCH", "TRACE", "BREW", "get"} {
		t.Run(method, func(t *testing.T) {
			a := s.ask(t, method, "/orders", "")
			a.problem(t, 405)
			if a.header.Get("Allow") == "" {
				t.Error("no Allow header")
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

// TestContentTypes refuses a body that does not say it is JSON, plain and in
// UTF-8.
func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	rows := []struct{ name, header, value string }{
		{"none", "Content-Type", ""},
		{"form", "Content-Type", "application/x-www-form-urlencoded"},
		{"multipart", "Content-Type", "multipart/form-data; boundary=x"},
		{"text", "Content-Type", "text/plain"},
		{"text JSON", "Content-Type", "text/json"},
		{"another JSON", "Content-Type", "application/merge-patch+json"},
		{"any", "Content-Type", "*/*"},
		{"prefix", "Content-Type", "application/jsonx"},
		{"malformed", "Content-Type", "application/json; charset"},
		{"two", "Content-Type", "application/json, text/plain"},
		{"latin", "Content-Type", "application/json; charset=iso-8859-1"},
		{"UTF-16", "Content-Type", "application/json; charset=utf-16"},
		{"gzip", "Content-Encoding", "gzip"},
		{"br", "Content-Encoding", "br"},
		{"several encodings", "Content-Encoding", "identity, gzip"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := s.ask(t, "POST", "/orders", body(), row.header, row.value).problem(t, 415)
			if p.Title != "Unsupported Media Type" || !strings.HasSuffix(p.Detail, ".") {
				t.Errorf("title %q, detail %q", p.Title, p.Detail)
			}
		})
	}
}

// TestTooLargeBody is read by the client as 413 and never as a connection that
// was reset under it.
func TestTooLargeBody(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	rows := []struct {
		name  string
		times int
		body  func() io.Reader
	}{
		{"10 MB with a length", 20, func() io.Reader { return strings.NewReader(strings.Repeat("x", 10_000_000)) }},
		{"10 MB in chunks", 20, func() io.Reader { return chunked(10_000_000) }},
		{"one byte too many", 1, func() io.Reader { return strings.NewReader(strings.Repeat(" ", httpserver.MaxBodyBytes+1)) }},
		{"one byte too many in chunks", 1, func() io.Reader { return chunked(httpserver.MaxBodyBytes + 1) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for range row.times {
				req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.addr+"/orders", row.body())
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				send(t, s.client, req).problem(t, 413)
			}
		})
	}
}

// chunked is a body of n bytes whose length a client does not know.
func chunked(n int64) io.Reader {
	return io.LimitReader(io.MultiReader(strings.NewReader(strings.Repeat("x", int(n)))), n)
}

// TestLargestBody is not refused for its size.
func TestLargestBody(t *testing.T) {
	b := open(t)
	text := body()
	text += strings.Repeat(" ", httpserver.MaxBodyBytes-len(text))
	b.ask(t, "POST", "/orders", text).object(t, 201)
}

// TestHugeHeader answers 431.
func TestHugeHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	s.ask(t, "POST", "/orders", body(), "X-Large", strings.Repeat("x", httpserver.MaxHeaderBytes)).problem(t, 431)
	s.ask(t, "GET", "/"+strings.Repeat("x", httpserver.MaxHeaderBytes), "").problem(t, 431)
}

// TestRequestID keeps the client's id where it has the allowed form, and
// replaces it elsewhere.
func TestRequestID(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	rows := []struct {
		name, id string
		kept     bool
	}{
		{"allowed", "req-1.A_b", true},
		{"longest", strings.Repeat("x", 64), true},
		{"UUID", "01890a5d-ac96-774b-bcce-b302099a8057", true},
		{"too long", strings.Repeat("x", 65), false},
		{"space", "a b", false},
		{"markup", "<script>", false},
		{"quotes", `a"b`, false},
		{"not ASCII", "é", false},
		{"empty", "", false},
	}
	seen := map[string]bool{}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := s.ask(t, "GET", "/nothing", "", "X-Request-Id", row.id).problem(t, 404)
			if (p.RequestID == row.id) != row.kept || seen[p.RequestID] || !order.ValidID(p.RequestID) {
				t.Errorf("id %q became %q; want it kept: %v", row.id, p.RequestID, row.kept)
			}
			seen[p.RequestID] = true
			if !strings.Contains(s.log.String(), fmt.Sprintf(`"request_id":%q`, p.RequestID)) {
				t.Errorf("the log does not know request %s", p.RequestID)
			}
		})
	}
}
