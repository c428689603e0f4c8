package spectest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"orderprocessor/internal/spectest"
)

// recorder is a test that is told of failures and goes on.
type recorder struct {
	testing.TB

	mu    sync.Mutex
	told  []string
	fails int
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

func (r *recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails++
}

func (r *recorder) reports() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.told...)
}

// question is a request; answer is what a server says to it.
type question struct {
	method, path string
	header       map[string]string
	body         string
}

type answer struct {
	status int
	header map[string]string
	body   string
}

// serve starts a server with the handler, and a client that reaches it through
// the kit.
func serve(t *testing.T, handle http.HandlerFunc) (*httptest.Server, *http.Client, *recorder) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	r := &recorder{TB: t}
	client := &http.Client{
		Transport:     spectest.Transport(r, &http.Transport{DisableCompression: true}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	return server, client, r
}

// speak is a handler that reads the request and gives the answer.
func speak(a answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = nil // not to be guessed
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}
}

// exchange asks a server that gives the answer, and returns what the kit
// reported.
func exchange(t *testing.T, q question, a answer) []string {
	t.Helper()
	server, client, r := serve(t, speak(a))
	body, header, err := send(t, client, server.URL, q)
	if err != nil {
		t.Fatal(err)
	}
	if q.method != http.MethodHead && a.status != http.StatusNoContent && body != a.body {
		t.Errorf("the body arrives as %q, with %v", body, header)
	}
	return r.reports()
}

func send(t *testing.T, c *http.Client, base string, q question) (string, http.Header, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), q.method, base+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.Header, err
}

// wantReport wants one report that tells of the request, the status and the
// reason.
func wantReport(t *testing.T, told []string, q question, status int, reason string) {
	t.Helper()
	if len(told) != 1 {
		t.Fatalf("%d reports, want one: %q", len(told), told)
	}
	head := fmt.Sprintf("%s %s was answered %d: ", q.method, q.path, status)
	if !strings.Contains(told[0], head) || !strings.Contains(told[0], reason) {
		t.Errorf("the report is %q, want %q and %q in it", told[0], head, reason)
	}
}

// wantShown wants a report to end with the body that is wrong, cut.
func wantShown(t *testing.T, told []string, body string) {
	t.Helper()
	if r := []rune(body); len(r) > spectest.MaxShown {
		body = string(r[:spectest.MaxShown])
	}
	if len(told) != 1 || !strings.HasSuffix(told[0], "\nbody: "+body) {
		t.Errorf("the report is %q, want the body %q at its end", told, body)
	}
}

func wantNone(t *testing.T, told []string) {
	t.Helper()
	if len(told) > 0 {
		t.Errorf("reports: %q", told)
	}
}
