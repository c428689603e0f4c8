package api_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// TestRefusedRequests answers what is not a request to the API with a problem.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, withIntake(noIntake(t)))
	for _, row := range []struct {
		method, path string
		code         int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"POST", "/nothing", 404, ""},
		{"POST", "/Orders", 404, ""},
		{"GET", "/orders/a/b", 404, ""},
		{"GET", "/../etc/passwd", 404, ""},
		{"GET", "/%00%0d%0aX: y", 404, ""},
		{"GET", "/" + strings.Repeat("x", 12_000), 404, ""},
		{"GET", "/orders/", 404, ""},
		{"GET", "/orders/ord_1/", 404, ""},
		{"GET", "/orders/ord_1/events/", 404, ""},
		{"POST", "/orders/batch/", 404, ""},
		{"POST", "/queues/low/pause/", 404, ""},
		{"GET", "/events/", 404, ""},
		{"GET", "/stats/", 404, ""},
		{"GET", "/orders%2Ford_1", 404, ""},
		{"POST", "/orders/ord_1%2Fcancel", 405, "GET, HEAD"},
		{"POST", "/queues/low%2Fpause", 404, ""},
		{"GET", "/orders//ord_1", 404, ""},
		{"GET", "//orders/ord_1", 404, ""},
		{"GET", "/orders/./ord_1", 404, ""},
		{"GET", "/queues/../orders/ord_1", 404, ""},
		{"GET", "/orders/ord_1/Events", 404, ""},
		{"POST", "/queues//pause", 404, ""},
		{"POST", "/queues/low/stop", 404, ""},
		{"GET", "/queues/low", 404, ""},
		{"GET", "/metrics", 404, ""},
		{"GET", "/debug/pprof/", 404, ""},
		{"GET", "/livez", 404, ""},
		{"GET", "/index.html", 404, ""},
		{"PATCH", "/orders", 405, "GET, HEAD, POST"},
		{"TRACE", "/orders", 405, "GET, HEAD, POST"},
		{"BREW", "/orders", 405, "GET, HEAD, POST"},
		{"get", "/orders", 405, "GET, HEAD, POST"},
		{"OPTIONS", "/orders", 405, "GET, HEAD, POST"},
		{"PUT", "/orders/ord_1", 405, "GET, HEAD"},
		{"POST", "/stats", 405, "GET, HEAD"},
		{"POST", "/health", 405, "GET, HEAD"},
		{"POST", "/", 405, "GET, HEAD"},
		{"GET", "/orders/ord_1/cancel", 405, "POST"},
		{"PUT", "/orders/ord_1/retry", 405, "POST"},
		{"POST", "/orders/ord_1/events", 405, "GET, HEAD"},
		{"PUT", "/orders/batch", 405, "GET, HEAD, POST"},
		{"GET", "/queues/low/pause", 405, "POST"},
		{"POST", "/openapi.json", 405, "GET, HEAD"},
	} {
		a := s.ask(t, row.method, strings.ReplaceAll(row.path, " ", "%20"), "")
		p := a.problem(t, row.code)
		if got := a.header.Get("Allow"); p.Type != typeBlank || p.Title != http.StatusText(row.code) || got != row.allow || len(p.Instance) > 400 {
			t.Errorf("%s %.40s: type %q, title %q, Allow %q, an instance of %d bytes", row.method, row.path, p.Type, p.Title, got, len(p.Instance))
		}
	}
}

// TestRefusedByServer answers with a problem also what does not reach a handler.
func TestRefusedByServer(t *testing.T) {
	t.Parallel()
	p := withIntake(noIntake(t))
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
		a := s.askRaw(t, row.line+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+row.headers)
		if p := a.problem(t, row.code); p.Detail != row.detail {
			t.Errorf("%s: detail is %q, want %q", row.line, p.Detail, row.detail)
		}
	}
}

// TestHead answers HEAD like GET, without a body.
func TestHead(t *testing.T) {
	b := open(t)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	for path, code := range map[string]int{"/orders/ord_1": 200, "/orders/none": 404, "/stats": 200, "/orders": 200, "/orders/ord_1/cancel": 405, "/nothing": 404} {
		a := b.ask(t, "HEAD", path, "")
		if a.code != code || len(a.body) != 0 || a.header.Get("X-Request-Id") == "" || a.header.Get("Content-Length") == "0" {
			t.Errorf("%s is answered %d with %d bytes, %v; want %d without a body", path, a.code, len(a.body), a.header, code)
		}
	}
}

// TestMediaTypes reads bodies that are declared as plain JSON in UTF-8, under every name
// that UTF-8 has and with a byte order mark, and refuses others on every route.
func TestMediaTypes(t *testing.T) {
	b := open(t)
	b.reach(t, "known", order.StatusPending)
	for path, text := range map[string]string{
		"/orders": withID("known"), "/orders/retry": `{"status":"failed"}`, "/orders/known/cancel": `{"reason":"x"}`, "/orders/batch": "[" + withID("known") + "]",
	} {
		for _, charset := range []string{
			"utf-8", "UTF-8", "utf8", "UTF8", `"utf-8"`, `" utf-8 "`, "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "X-Unicode20UTF8",
		} {
			for _, media := range []string{"application/json; charset=", "Application/JSON ;CHARSET="} {
				a := b.ask(t, "POST", path, "\ufeff"+text, "Content-Type", media+charset, "Content-Encoding", "identity")
				if a.code != 200 && a.code != 409 {
					t.Errorf("%s in %s%s is answered %d %s", path, media, charset, a.code, a.body)
				}
			}
		}
		for _, row := range [][2]string{
			{"Content-Type", ""},
			{"Content-Type", "application/x-www-form-urlencoded"},
			{"Content-Type", "multipart/form-data; boundary=x"},
			{"Content-Type", "text/json"},
			{"Content-Type", "application/merge-patch+json"},
			{"Content-Type", "*/*"},
			{"Content-Type", "application/jsonx"},
			{"Content-Type", "application/json; charset"},
			{"Content-Type", "application/json, text/plain"},
			{"Content-Type", "application/ndjson"},
			{"Content-Type", "application/json; charset=iso-8859-1"},
			{"Content-Type", "application/json; charset=utf-16"},
			{"Content-Type", `application/json; charset="latin\u202e"`},
			{"Content-Encoding", "gzip"},
			{"Content-Encoding", "identity, gzip"},
		} {
			p := b.ask(t, "POST", path, text, row[0], row[1]).problem(t, 415)
			named := strings.HasPrefix(p.Detail, "The charset must be utf-8, not ")
			if p.Title != "Unsupported Media Type" || !strings.HasSuffix(p.Detail, ".") || named != strings.Contains(row[1], "charset=") {
				t.Errorf("%s of %q: title %q, detail %q", path, row, p.Title, p.Detail)
			}
		}
		if path != "/orders/batch" { // see TestBatchOfSixteenMebibytes
			b.ask(t, "POST", path, text+strings.Repeat(" ", httpserver.MaxBodyBytes)).problem(t, 413)
		}
		for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
			if p := b.ask(t, "POST", path, mark+text).problem(t, 400); !strings.Contains(p.Detail, "byte order mark") {
				t.Errorf("%s with %q: detail is %q", path, mark, p.Detail)
			}
		}
	}
	b.batch(t, "\ufeff"+withID("line-1")+"\n\ufeff"+withID("line-2")+"\n", "Content-Encoding", "identity")
	b.ask(t, "GET", "/orders/line-2", "").object(t, 200)
	b.ask(t, "POST", "/orders/batch", withID("a"), "Content-Type", ndjson+"; charset=iso-8859-1").problem(t, 415)
	b.askRaw(t, "POST /orders/line-2/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\ufeff").object(t, 200)
	largest := withID("largest")
	b.ask(t, "POST", "/orders", largest+strings.Repeat(" ", httpserver.MaxBodyBytes-len(largest))).object(t, 201)
}

// TestBodiesLeftOut needs no media type for a body that may be left out and is, however its
// length is declared.
func TestBodiesLeftOut(t *testing.T) {
	b := open(t)
	for n, framing := range []string{"Content-Length: 0\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"} {
		for _, media := range []string{"", "Content-Type: \r\n", "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"} {
			id := fmt.Sprintf("o%d.%d", n, len(media))
			b.reach(t, id+".pending", order.StatusPending)
			b.reach(t, id+".failed", order.StatusFailed)
			for path, code := range map[string]int{
				"/orders/" + id + ".pending/cancel": http.StatusOK, "/orders/" + id + ".failed/retry": http.StatusAccepted,
				"/queues/low/pause": http.StatusOK, "/queues/low/resume": http.StatusOK,
			} {
				b.askRaw(t, "POST "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+media+framing).object(t, code)
			}
		}
	}
	b.reach(t, "kept", order.StatusPending)
	for _, framing := range []string{"Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"} {
		b.askRaw(t, "POST /orders/kept/cancel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+framing).problem(t, 415)
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
			all := b.sendRaw(t, "POST "+path+" HTTP/1.1\r\nHost: a\r\n"+text+"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
			if len(all) == 0 || len(all) > 2 || len(all) == 2 && !strings.Contains(string(all[1].body), `"instance":"/last"`) {
				t.Errorf("%s with %.30q has %d answers: %+v", path, text, len(all), all)
			}
		}
	}
	if b.paused(t, "critical") {
		t.Error("a request in a body was executed")
	}
}

// TestSlowUpload accepts an order whose body needs longer to arrive than a request may wait
// for Redis.
func TestSlowUpload(t *testing.T) {
	b := open(t, prompt)
	text := body("items", list(60, quoted(190, "y")))
	conn := b.dial(t)
	_, err := fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		len(text), text[:9000])
	<-time.After(2 * time.Second) // the client's own time
	_, err2 := io.WriteString(conn, text[9000:])
	must(t, errors.Join(err, err2))
	if all := readAnswers(t, conn); len(all) != 1 || all[0].code != http.StatusCreated {
		t.Errorf("it is answered %+v", all)
	}
}
