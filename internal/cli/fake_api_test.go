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

// fakeAPI is an API that answers as a test wants, and keeps the requests.
type fakeAPI struct {
	*httptest.Server
	mu  sync.Mutex
	got []request
}

// request is what a command sent.
type request struct {
	method, target, key, lastEventID, body string
}

func (r request) String() string {
	return strings.TrimSpace(strings.Join([]string{r.method, r.target, r.body + r.lastEventID}, " "))
}

// newFakeAPI returns an API that answers the n-th request, counted from 0.
func newFakeAPI(tb testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request)) *fakeAPI {
	tb.Helper()
	f := &fakeAPI{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		n := len(f.got)
		f.got = append(f.got, request{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Last-Event-ID"), string(body)})
		f.mu.Unlock()
		answer(n, w, r)
	}))
	tb.Cleanup(f.Close)
	return f
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

// mustBeAsked compares the requests so far.
func (f *fakeAPI) mustBeAsked(tb testing.TB, want ...string) {
	tb.Helper()
	var got []string
	for _, r := range f.requests() {
		got = append(got, r.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("requests (-want +got):\n%s", diff)
	}
}

// answering returns the address of an API that answers everything alike.
func answering(tb testing.TB, status int, body string) string {
	tb.Helper()
	return newFakeAPI(tb, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}).URL
}

// reply is an answer to a submission: its status, one header as "Name: value", and its
// body.
type reply struct {
	status       int
	header, body string
}

// newSubmitAPI returns a healthy API with these replies to submissions, the last of
// which it repeats.
func newSubmitAPI(tb testing.TB, replies ...reply) *fakeAPI {
	tb.Helper()
	var sent atomic.Int64
	return newFakeAPI(tb, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		answer := replies[min(int(sent.Add(1)), len(replies))-1]
		if answer.status == answerLost {
			panic(http.ErrAbortHandler)
		}
		name, value, _ := strings.Cut(answer.header, ": ")
		w.Header().Set(name, value)
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	})
}

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

// newScript returns an API for one run of a command: it expects these requests, in
// this order, and no others.
func newScript(t *testing.T, exchanges ...exchange) *fakeAPI {
	t.Helper()
	f := newFakeAPI(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if kind := r.Header.Get("Content-Type"); (r.ContentLength > 0) != (kind == "application/json") {
			t.Errorf("%s: %d bytes of %q", r.RequestURI, r.ContentLength, kind)
		}
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
	})
	t.Cleanup(func() {
		f.Close()
		want := make([]string, len(exchanges))
		for i, e := range exchanges {
			want[i] = e.request
		}
		f.mustBeAsked(t, want...)
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
	name, args     string // arguments are separated by one space
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
			c := &command{}
			c.start(t, append(strings.Split(tt.args, " "), "--api", api.URL)...)
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
