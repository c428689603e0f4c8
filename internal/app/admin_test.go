package app_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestAdminAddress checks that metrics and profiles are served on the admin address only,
// and that it answers only to names of this machine.
func TestAdminAddress(t *testing.T) {
	t.Parallel()
	api := startAPI(t, environ(redistest.Start(t).URL()))
	admin := "http://" + api.AdminAddr()
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"} {
		if own, clients := ask(t, "GET", admin+path, "").code, ask(t, "GET", "http://"+api.Addr()+path, "").code; own != 200 || clients != 404 {
			t.Errorf("%s is answered %d on the admin address, and %d on the address for clients", path, own, clients)
		}
	}
	_, port, _ := strings.Cut(api.AdminAddr(), ":")
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:" + port: 200, "127.0.0.1": 200, "[::1]:1": 200, "evil.example": 421, "127.0.0.1.evil.example:80": 421,
	} {
		if code := send(t, "GET", admin+"/livez", "", http.Header{"Host": {host}}).code; code != want {
			t.Errorf("as %s it is answered %d, want %d", host, code, want)
		}
	}
}

// TestRequestsWithoutHost checks that the admin address answers requests without a host,
// as load balancers send them, and that the address for clients refuses those of
// HTTP/1.1.
func TestRequestsWithoutHost(t *testing.T) {
	t.Parallel()
	s := startReady(t, environ(redistest.Start(t).URL()))
	for _, p := range s.programs() {
		for request, want := range map[string]int{
			"OPTIONS / HTTP/1.0\r\n\r\n":                        200,
			"GET /readyz HTTP/1.0\r\n\r\n":                      200,
			"GET /livez HTTP/1.0\r\nConnection: close\r\n\r\n":  200,
			"GET /livez HTTP/1.0\n\n":                           200,
			"HEAD /readyz HTTP/1.0\r\n\r\n":                     200,
			"GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n": 200,
			"GET /readyz HTTP/1.1\r\nConnection: close\r\nX-Long: " + strings.Repeat("x", 9000) + "\r\n\r\n": 200,
			"OPTIONS / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n":                                       200,
			"GET /nothing HTTP/1.0\r\n\r\n":                                                                  404,
			"GET /readyz HTTP/1.0\r\nHost: evil.example\r\n\r\n":                                             421,
			"GET /readyz HTTP/1.1\r\nhost : evil.example\r\nConnection: close\r\n\r\n":                       400,
			"GET http://evil.example/readyz HTTP/1.1\r\nConnection: close\r\n\r\n":                           421,
			"GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n":                             400,
			"GET /readyz HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 64<<10) + "\r\n\r\n":                    431,
		} {
			if code := sendRaw(t, p.AdminAddr(), request); code != want {
				t.Errorf("%.60q on the admin address is answered %d, want %d", request, code, want)
			}
		}
	}
	programtest.Until(t, "the API is healthy", func() bool { return ask(t, "GET", s.url+"/health", "").code == 200 })
	for request, want := range map[string]int{
		"GET /health HTTP/1.0\r\n\r\n": 200, "HEAD /health HTTP/1.0\r\nConnection: close\r\n\r\n": 200,
		"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n": 400,
	} {
		if code := sendRaw(t, s.api.Addr(), request); code != want {
			t.Errorf("%.60q on the address for clients is answered %d, want %d", request, code, want)
		}
	}
}

// sendRaw sends a request unchanged and returns the status of the answer.
func sendRaw(t *testing.T, addr, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
