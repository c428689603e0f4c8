package httpserver

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// get asks a server for / with headers, which alternate names and values.
func get(t *testing.T, s *Server, host string, headers ...string) (code int, h http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.App().Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// TestRequestID keeps the client's id where it has the allowed form, and replaces it
// elsewhere. The header, the log and the context of the request all have it.
func TestRequestID(t *testing.T) {
	t.Parallel()
	s := serve(t)
	seen := map[string]bool{}
	for id, kept := range map[string]bool{
		"req-1.A_b": true, strings.Repeat("x", 128): true, "01890a5d-ac96-774b-bcce-b302099a8057": true,
		strings.Repeat("x", 129): false, "a b": false, "<script>": false, `a"b`: false, "é": false, "": false,
	} {
		_, h, inContext := get(t, s.Server, "a", "X-Request-Id", id)
		got := h.Get("X-Request-Id")
		if (got == id) != kept || seen[got] || !order.ValidID(got) || inContext != got {
			t.Errorf("id %q became %q, and %q in the context; want it kept: %t", id, got, inContext, kept)
		}
		seen[got] = true
		if !strings.Contains(s.log.String(), fmt.Sprintf(`"request_id":%q`, got)) {
			t.Errorf("the log has no request %s", got)
		}
	}
}

// TestForeignHost refuses, where only this machine may connect, browsers that come by a
// name which its owner may have made resolve to this machine.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, host    string
		header, value string
		code          int
	}{
		{"a program by address", "127.0.0.1:8080", "", "", 200},
		{"a program by any name", "orders.example", "", "", 200},
		{"a browser by address", "127.0.0.1:8080", "Accept-Language", "en", 200},
		{"a browser by IPv6 address", "[::1]:8080", "Accept-Language", "en", 200},
		{"a browser by localhost", "LocalHost:8080", "User-Agent", "Mozilla/5.0", 200},
		{"a browser by another name", "evil.example:8080", "User-Agent", "Mozilla/5.0", 421},
		{"a page that changed its browser's name", "evil.example", "Accept-Language", "x", 421},
		{"a page that names its origin", "evil.example", "Origin", "http://evil.example", 421},
		{"a page that names its site", "evil.example", "Sec-Fetch-Site", "same-origin", 421},
		{"a name that begins like an address", "127.0.0.1.evil.example", "Referer", "http://127.0.0.1.evil.example/", 421},
	} {
		for local, code := range map[bool]int{true: row.code, false: 200} {
			s := serve(t, func(s *Server) { s.cfg.LocalOnly = local })
			if got, _, _ := get(t, s.Server, row.host, row.header, row.value); got != code {
				t.Errorf("%s is answered %d, want %d; only this machine may connect: %t", row.name, got, code, local)
			}
		}
	}
}
