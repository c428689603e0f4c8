package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/programtest"
)

// fakeAPI is an API that answers as a test wants, and records the requests.
type fakeAPI struct {
	*httptest.Server
	mu  sync.Mutex
	got []request
}

// request is what a command sent.
type request struct {
	method, target, key, idempotencyKey, lastEventID, body string
}

func (r request) String() string {
	return strings.TrimSpace(strings.Join([]string{r.method, r.target, r.body + r.lastEventID}, " "))
}

// serve returns an API with this handler.
func serve(tb testing.TB, handler http.Handler) *fakeAPI {
	tb.Helper()
	f := &fakeAPI{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.got = append(f.got, request{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), r.Header.Get("Last-Event-ID"), string(body)})
		f.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	tb.Cleanup(f.Close)
	return f
}

// reply is one answer.
type reply struct {
	status  int // 0 means 200
	body    string
	headers string // a line each
	stays   bool   // the connection stays open
}

// Instead of a status.
const (
	answerLost  = -1 // the connection breaks
	neverAnswer = -2 // the answer takes until the command gives up
)

func (a reply) write(w http.ResponseWriter, r *http.Request) {
	switch a.status {
	case answerLost:
		panic(http.ErrAbortHandler)
	case neverAnswer:
		<-r.Context().Done()
		return
	}
	for line := range strings.Lines(a.headers) {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Set(name, strings.TrimSpace(value))
	}
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = io.WriteString(w, a.body)
	if a.stays {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// routes are the replies to the requests of a pattern of http.ServeMux, one after the
// other; the last one is repeated.
type routes map[string][]reply

func newFakeAPI(tb testing.TB, r routes) *fakeAPI {
	tb.Helper()
	mux := http.NewServeMux()
	for pattern, replies := range r {
		var n atomic.Int64
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			replies[min(int(n.Add(1)), len(replies))-1].write(w, r)
		})
	}
	return serve(tb, mux)
}

// answering returns the address of an API that answers everything alike.
func answering(tb testing.TB, status int, body string) string {
	tb.Helper()
	return newFakeAPI(tb, routes{"/": {{status: status, body: body, headers: "Location: /elsewhere"}}}).URL
}

func (f *fakeAPI) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// posts returns the requests that change something.
func (f *fakeAPI) posts() []request {
	return slices.DeleteFunc(f.requests(), func(r request) bool { return r.method != http.MethodPost })
}

// mustReceive compares the requests so far with those that are wanted.
func (f *fakeAPI) mustReceive(tb testing.TB, want ...string) {
	tb.Helper()
	var got []string
	for _, r := range f.requests() {
		got = append(got, r.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("requests (-want +got):\n%s", diff)
	}
}

// exchange is one request that a command has to send, and its answer.
type exchange struct {
	request string // method, target and body
	status  int
	answer  string
}

// newScript returns an API for one run of a command: it expects these requests, in
// this order, and no others.
func newScript(t *testing.T, exchanges ...exchange) *fakeAPI {
	t.Helper()
	var sent atomic.Int64
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := ""
		switch {
		case r.RequestURI == "/rules" && r.Method == http.MethodPost:
			want = "application/yaml"
		case r.ContentLength > 0:
			want = "application/json"
		}
		if kind := r.Header.Get("Content-Type"); kind != want {
			t.Errorf("%s: %d bytes of %q, want %q", r.RequestURI, r.ContentLength, kind, want)
		}
		n := int(sent.Add(1))
		if n > len(exchanges) {
			http.Error(w, "no more requests were expected", http.StatusInternalServerError)
			return
		}
		reply{status: exchanges[n-1].status, body: exchanges[n-1].answer}.write(w, r)
	}))
	t.Cleanup(func() {
		f.Close()
		want := make([]string, len(exchanges))
		for i, e := range exchanges {
			want[i] = e.request
		}
		f.mustReceive(t, want...)
	})
	return f
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

// problemOf is an error answer of a type of ours.
func problemOf(kind string, status int, detail, more string) string {
	return strings.Replace(problem(status, detail, more), "about:blank", "tag:orderprocessor,2026:"+kind, 1)
}

// The problems that most tests meet.
var (
	away        = problemOf("redis-unavailable", 503, "Redis is away.", "")
	noSuchOrder = problem(404, "There is no order with this id.", "")
	noRoom      = problemOf("no-room", 503, "Nothing was accepted: too many orders are waiting.", "")
)

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

// scripted is a run of a command against a script. The command is interrupted where
// the last request is never answered.
type scripted struct {
	name, line     string // perhaps variables, and arguments, with one space between
	script         []exchange
	status         int
	stdout, stderr string
}

func runScripted(t *testing.T, rows ...scripted) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, tt.script...)
			words := strings.Split(tt.line, " ")
			c := &command{}
			for strings.Contains(words[0], "=") {
				c.environ, words = append(c.environ, words[0]), words[1:]
			}
			c.start(t, append(words, "--api", api.URL)...)
			if last := len(tt.script); tt.script[last-1].status == neverAnswer {
				programtest.Until(t, "the last request is sent", func() bool { return len(api.requests()) == last })
				c.interrupt(t)
			}
			c.wait(t)
			c.mustPrint(t, tt.status, tt.stdout, tt.stderr)
		})
	}
}

const notAPI = "the answer is not that of an order API; is the address right?\n"
