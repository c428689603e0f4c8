package hostile_test

import (
	"fmt"
	"strings"
)

// heads are request lines and headers whose end only a careless reader sees, or after which
// no reader should continue.
func heads() []string {
	all := []string{
		"GET /stats HTTP/1.1\nHost: a\n\n" + hidden, "GET /stats HTTP/1.1\rHost: a\r\r" + hidden, // no CR, no LF
		"GET /stats HTTP/1.1\r\n\r\n" + hidden, "GET /stats\r\n" + hidden, // no host, no version
		"GET /stats HTTP/1.1\r\n Host: a\r\n\r\n" + hidden,
		"GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n" + hidden,
		"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" + hidden, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden, // TLS, HTTP/2
		"\x00" + get + "\r\n" + hidden,
		get + "X-A: b\n\n" + hidden + "\r\n\r\n", get + "X-A: b\r\r" + hidden + "\r\n\r\n", // within a header
	}
	for _, headers := range []string{
		"X-A: b\n\n", "X-A: b\r\r\n\r\r\n", "X-A: b\n\r\n", "X-A: b\r\n\n", // other line breaks
		"Host: b\r\n\r\n", "X-A\r\n\r\n", ": b\r\n\r\n", "X-A: b\x00c\r\n\r\n", // malformed headers
		strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", "X-A: " + strings.Repeat("b", 100_000) + "\r\n\r\n",
	} {
		all = append(all, get+headers+hidden)
	}
	const rest = "\r\nHost: a\r\n" + within + "\r\n" + hidden
	for _, line := range []string{
		"GET /stats", "GET /stats HTTP", "GET /stats HTTP/", "GET /stats HTTP/1", "GET /stats HTTP/1.", "GET /stats HTTP/2.0", "GET /stats HTTP/0.9", "GET /stats HTTP/1.10",
		"GET /stats HTTP/11", "GET /stats HTTP/1.1 x", "GET /stats HTTP/1.1 HTTP/1.1", "GET /stats HTTP/-1.1", "GET /stats http/1.1", "GET /stats HTTPS/1.1", "GET /stats HTTP/1,1",
		"GET /stats HTTP/1.\uff11", "GET /stats\tHTTP/1.1", "GET\t/stats HTTP/1.1", "GET\x00/stats HTTP/1.1", "GET /sta\x00ts HTTP/1.1", "GET  HTTP/1.1", " GET /stats HTTP/1.1",
		"GET /stats HTTP/1.1\x00", "G\xc3\x89T /stats HTTP/1.1", "GET: /stats HTTP/1.1", "GET/stats HTTP/1.1", "/stats HTTP/1.1", "HTTP/1.1 200 OK", "GET stats HTTP/1.1",
	} {
		all = append(all, line+rest)
	}
	for _, path := range []string{
		"/stats%0d%0a%0d%0a", "/stats%0a%0a", "/orders/a%20HTTP/1.1%0d%0aHost:%20a%0d%0a%0d%0a", "//a/stats", "/../stats", "/stats/%2e%2e/", "/%00", "/\u00e9", "/%ff", "/%zz", "/%",
		"*", "http://a/stats", "http://b/stats", "https://a/stats", "http://a:80@b/stats", "ftp://a/stats", "http:///stats", "a:80", "/stats?a=b\\r\\n", "/stats#a", "/stats;a",
	} {
		all = append(all, "GET "+path+" HTTP/1.1"+rest)
	}
	return all
}

// unread are requests whose body is the hidden request and is not what the route reads, or
// is read only in part.
func unread() []string {
	var all []string
	const json = "Content-Type: application/json\r\n"
	for _, line := range []string{
		"GET /stats", "GET /orders", "GET /orders/a", "GET /orders/a/events", "GET /queues", "GET /docs", "GET /docs/", "GET /openapi.yaml", "GET /openapi.json",
		"GET /monitoring", "GET /monitoring/api/queues", "GET /nothing", "HEAD /stats", "HEAD /nothing", "OPTIONS /orders", "OPTIONS *", "TRACE /orders", "DELETE /orders/a", "PUT /orders",
		"PATCH /orders/a", "CONNECT /orders", "CONNECT a:80", "FETCH /orders", "get /stats", "POST /nothing", "POST /stats", "POST /orders?a=b", "POST /orders/a/retry", "POST /orders/a/cancel",
		"POST /orders/retry", "POST /queues/low/pause", "POST /queues/nothing/pause", "POST /queues/low/resume", "POST /orders/batch", "POST /monitoring", "POST /health",
		"POST /orders/%2e%2e/", "POST /orders/a%2fb/cancel",
	} {
		head := line + " HTTP/1.1\r\nHost: a\r\n"
		all = append(all, head+within+"\r\n"+hidden, head+json+within+"\r\n"+hidden, head+json+chunked+"%x\r\n"+hidden+"\r\n0\r\n\r\n",
			strings.Replace(head, "1.1", "1.0", 1)+within+"Connection: keep-alive\r\n\r\n"+hidden)
	}
	for _, head := range []string{
		strings.Replace(post, "json", "xml", 1), strings.Replace(post, "json", "json; charset=utf-16", 1), post + "Content-Encoding: gzip\r\n",
		post + "Expect: 100-continue\r\n", post + "Expect: 200-ok\r\n", get + "Expect: 100-continue\r\n", post + "Expect: 100-continue\r\nExpect: 100-continue\r\n",
		get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
		get + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 9\r\nSec-WebSocket-Key: a\r\n",
		get + "X-HTTP-Method-Override: POST\r\n", get + "X-Original-URL: /orders\r\nX-Rewrite-URL: /orders\r\n",
	} {
		all = append(all, head+within+"\r\n"+hidden)
	}
	fill := strings.Repeat(" ", 300<<10)
	return append(all, post+"Content-Length: 9%d\r\n\r\n"+fill+hidden,
		post+chunked+fmt.Sprintf("%x\r\n%s\r\n%%x\r\n", len(fill), fill)+hidden+"\r\n0\r\n\r\n",
		post+"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n"+hidden)
}

// endings are connections that have ended before the hidden request.
func endings() []string {
	all := []string{
		"GET /stats HTTP/1.0\r\nHost: a\r\n\r\n" + hidden,
		"GET /stats HTTP/1.0\r\n\r\n" + hidden,
		strings.Repeat(get+"\r\n", 50) + get + "Content-Length: x\r\n\r\n" + hidden,
		post + "Content-Length: x\r\n\r\n" + post + "Content-Length: x\r\n\r\n" + hidden,
	}
	for _, header := range []string{"Connection: close", "connection: CLOSE", "Connection: x, close", "Connection: close, keep-alive"} {
		all = append(all, get+header+"\r\n\r\n"+hidden)
	}
	return all
}
