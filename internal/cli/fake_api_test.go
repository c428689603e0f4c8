package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exchange is one request that a command has to send, and what it gets.
type exchange struct {
	request string // method, target and body
	status  int
	answer  string
}

// Instead of a status.
const (
	answerLost  = -1 // the connection breaks
	neverAnswer = -2 // the answer takes until the command gives up
)

// script is an API for one run of a command: it expects these requests, in this
// order, and no others.
type script struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newScript(t *testing.T, exchanges ...exchange) *script {
	t.Helper()
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if kind := r.Header.Get("Content-Type"); (len(body) > 0) != (kind == "application/json") {
			t.Errorf("%s: %d bytes of %q", r.RequestURI, len(body), kind)
		}
		n := s.note(strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)))
		if n >= len(exchanges) {
			http.Error(w, "no more requests were expected", http.StatusInternalServerError)
			return
		}
		switch e := exchanges[n]; e.status {
		case answerLost:
			panic(http.ErrAbortHandler)
		case neverAnswer:
			<-r.Context().Done()
		default:
			w.WriteHeader(e.status)
			_, _ = io.WriteString(w, e.answer)
		}
	}))
	t.Cleanup(func() {
		s.Close()
		want := make([]string, len(exchanges))
		for i, e := range exchanges {
			want[i] = e.request
		}
		if diff := cmp.Diff(want, s.got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
	return s
}

// asked returns how many requests there were.
func (s *script) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// note returns how many requests there were before.
func (s *script) note(request string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, request)
	return len(s.got) - 1
}

func (s *script) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// mustPrint compares both outputs and the exit status.
func (c *command) mustPrint(tb testing.TB, status int, stdout, stderr string) {
	tb.Helper()
	if c.status != status {
		tb.Errorf("exit status %d, want %d", c.status, status)
	}
	if diff := cmp.Diff(stdout, c.stdout.String()); diff != "" {
		tb.Errorf("standard output (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(stderr, c.stderr.String()); diff != "" {
		tb.Errorf("standard error (-want +got):\n%s", diff)
	}
}

// problem is an error answer as the API writes it.
func problem(status int, detail, more string) string {
	return fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"detail":%q,"instance":"/x","request_id":"r"%s}`,
		http.StatusText(status), status, detail, more)
}

const away = `{"type":"tag:orderprocessor,2026:redis-unavailable","title":"Redis is away","status":503,` +
	`"detail":"Redis is away.","instance":"/x","request_id":"r"}`

// record is an order as the API writes it, with more members at its end.
func record(id, status, more string) string {
	return fmt.Sprintf(`{"id":%q,"amount":12.50,"items":["tea"],"customer":"Ada","address":"London","priority":2,"status":%q,`+
		`"queue":"default","created_at":"2026-11-23T12:00:00.123456Z"%s,"attempts":[]}`, id, status, more)
}

// page is a page of orders; an empty cursor makes it the last one.
func page(cursor string, orders ...string) string {
	if cursor != "" {
		cursor = fmt.Sprintf(`,"next_cursor":%q`, cursor)
	}
	return `{"orders":[` + strings.Join(orders, ",") + `]` + cursor + `}`
}
