package hostile_test

import (
	"fmt"
	"strings"
)

// heads are request lines and headers that end where only a sloppy reader sees
// their end, or that no reader should go on behind.
func heads() []smuggling {
	all := []smuggling{
		{"headers end with line feeds", "GET /stats HTTP/1.1\r\nHost: a\r\nX-A: b\n\n" + hidden},
		{"line feeds only", "GET /stats HTTP/1.1\nHost: a\n\n" + hidden},
		{"carriage returns only", "GET /stats HTTP/1.1\rHost: a\r\r" + hidden},
		{"headers end with CR CR LF", get + "X-A: b\r\r\n\r\r\n" + hidden},
		{"headers end with LF CR LF", get + "X-A: b\n\r\n" + hidden},
		{"headers end with CR LF LF", get + "X-A: b\r\n\n" + hidden},
		{"header holds a request", get + "X-A: b\n\n" + hidden + "\r\n\r\n"},
		{"header holds a request behind carriage returns", get + "X-A: b\r\r" + hidden + "\r\n\r\n"},
		{"two hosts", get + "Host: b\r\n\r\n" + hidden},
		{"no host", "GET /stats HTTP/1.1\r\n\r\n" + hidden},
		{"header without a colon", get + "X-A\r\n\r\n" + hidden},
		{"header without a name", get + ": b\r\n\r\n" + hidden},
		{"header with a NUL", get + "X-A: b\x00c\r\n\r\n" + hidden},
		{"header that begins with a space", "GET /stats HTTP/1.1\r\n Host: a\r\n\r\n" + hidden},
		{"headers without an end", get + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n" + hidden},
		{"one long header", get + "X-A: " + strings.Repeat("b", 100_000) + "\r\n\r\n" + hidden},
		{"one long line", "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n" + hidden},
		{"a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" + hidden},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden},
		{"a NUL in front", "\x00" + get + "\r\n" + hidden},
		{"request of HTTP/0.9", "GET /stats\r\n" + hidden},
	}
	for _, line := range []string{
		"GET /stats", "GET /stats HTTP", "GET /stats HTTP/", "GET /stats HTTP/1", "GET /stats HTTP/1.", "GET /stats HTTP/2.0", "GET /stats HTTP/0.9", "GET /stats HTTP/1.10",
		"GET /stats HTTP/11", "GET /stats HTTP/1.1 x", "GET /stats HTTP/1.1 HTTP/1.1", "GET /stats HTTP/-1.1", "GET /stats http/1.1", "GET /stats HTTPS/1.1", "GET /stats HTTP/1,1",
		"GET /stats HTTP/1.\uff11", "GET /stats\tHTTP/1.1", "GET\t/stats HTTP/1.1", "GET\x00/stats HTTP/1.1", "GET /sta\x00ts HTTP/1.1", "GET  HTTP/1.1", " GET /stats HTTP/1.1",
		"GET /stats HTTP/1.1\x00", "G\xc3\x89T /stats HTTP/1.1", "GET: /stats HTTP/1.1", "GET/stats HTTP/1.1", "/stats HTTP/1.1", "HTTP/1.1 200 OK", "GET stats HTTP/1.1",
	} {
		all = append(all, smuggling{fmt.Sprintf("request line %q", line), line + "\r\nHost: a\r\nContent-Length: %d\r\n\r\n" + hidden})
	}
	for _, path := range []string{
		"/stats%0d%0a%0d%0a", "/stats%0a%0a", "/orders/a%20HTTP/1.1%0d%0aHost:%20a%0d%0a%0d%0a", "//a/stats", "/../stats", "/stats/%2e%2e/", "/%00", "/\u00e9", "/%ff", "/%zz", "/%",
		"*", "http://a/stats", "http://b/stats", "https://a/stats", "http://a:80@b/stats", "ftp://a/stats", "http:///stats", "a:80", "/stats?a=b\\r\\n", "/stats#a", "/stats;a",
	} {
		all = append(all, smuggling{fmt.Sprintf("path %q", path), "GET " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" + hidden})
	}
	return all
}

// unread are requests whose body holds the hidden request and is not what the
// route reads, or reads only in part.
func unread() []smuggling {
	var all []smuggling
	const json = "Content-Type: application/json\r\n"
	for _, line := range []string{
		"GET /stats", "GET /orders", "GET /orders/a", "GET /orders/a/events", "GET /queues", "GET /docs", "GET /docs/", "GET /openapi.yaml", "GET /openapi.json",
		"GET /monitoring", "GET /monitoring/api/queues", "GET /nothing", "HEAD /stats", "HEAD /nothing", "OPTIONS /orders", "OPTIONS *", "TRACE /orders", "DELETE /orders/a", "PUT /orders",
		"PATCH /orders/a", "CONNECT /orders", "CONNECT a:80", "FETCH /orders", "get /stats", "POST /nothing", "POST /stats", "POST /orders?a=b", "POST /orders/a/retry", "POST /orders/a/cancel",
		"POST /orders/retry", "POST /queues/low/pause", "POST /queues/nothing/pause", "POST /queues/low/resume", "POST /orders/batch", "POST /monitoring", "POST /health",
		"POST /orders/%2e%2e/", "POST /orders/a%2fb/cancel",
	} {
		head := line + " HTTP/1.1\r\nHost: a\r\n"
		all = append(all,
			smuggling{line + " with a body", head + within + "\r\n" + hidden},
			smuggling{line + " with JSON", head + json + within + "\r\n" + hidden},
			smuggling{line + " with chunks", head + json + chunked + "%x\r\n" + hidden + "\r\n0\r\n\r\n"},
			smuggling{line + " of HTTP/1.0", strings.Replace(head, "1.1", "1.0", 1) + within + "Connection: keep-alive\r\n\r\n" + hidden},
		)
	}
	fill := strings.Repeat(" ", 300<<10)
	return append(all,
		smuggling{"body of another type", strings.Replace(post, "json", "xml", 1) + within + "\r\n" + hidden},
		smuggling{"compressed body", post + "Content-Encoding: gzip\r\n" + within + "\r\n" + hidden},
		smuggling{"other charset", strings.Replace(post, "json", "json; charset=utf-16", 1) + within + "\r\n" + hidden},
		smuggling{"body that is too long", post + "Content-Length: 9%d\r\n\r\n" + fill + hidden},
		smuggling{"chunks that are too long", post + chunked + fmt.Sprintf("%x\r\n%s\r\n%%x\r\n", len(fill), fill) + hidden + "\r\n0\r\n\r\n"},
		smuggling{"body that was announced", post + "Expect: 100-continue\r\n" + within + "\r\n" + hidden},
		smuggling{"body that was announced otherwise", post + "Expect: 200-ok\r\n" + within + "\r\n" + hidden},
		smuggling{"long body that was announced", post + "Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n" + hidden},
		smuggling{"announced to a page", get + "Expect: 100-continue\r\n" + within + "\r\n" + hidden},
		smuggling{"announced twice", post + "Expect: 100-continue\r\nExpect: 100-continue\r\n" + within + "\r\n" + hidden},
		smuggling{"upgrade to HTTP/2", get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n" + within + "\r\n" + hidden},
		smuggling{"upgrade to a socket", get + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 9\r\nSec-WebSocket-Key: a\r\n" + within + "\r\n" + hidden},
		smuggling{"method of a header", "GET /stats HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: POST\r\n" + within + "\r\n" + hidden},
		smuggling{"path of a header", get + "X-Original-URL: /orders\r\nX-Rewrite-URL: /orders\r\n" + within + "\r\n" + hidden},
	)
}

// endings are connections that have ended before the hidden request.
func endings() []smuggling {
	var all []smuggling
	for _, header := range []string{"Connection: close", "connection: CLOSE", "Connection: x, close", "Connection: close, keep-alive"} {
		all = append(all, smuggling{fmt.Sprintf("%q", header), get + header + "\r\n\r\n" + hidden})
	}
	return append(all,
		smuggling{"HTTP/1.0", "GET /stats HTTP/1.0\r\nHost: a\r\n\r\n" + hidden},
		smuggling{"HTTP/1.0 without a host", "GET /stats HTTP/1.0\r\n\r\n" + hidden},
		smuggling{"refused, after many good ones", strings.Repeat(get+"\r\n", 50) + get + "Content-Length: x\r\n\r\n" + hidden},
		smuggling{"refused twice", post + "Content-Length: x\r\n\r\n" + post + "Content-Length: x\r\n\r\n" + hidden},
	)
}
