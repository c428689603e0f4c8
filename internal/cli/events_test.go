package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streaming is an API whose connections to the stream of events are played one after
// the other; after the last it stays silent.
type streaming struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // query and Last-Event-ID
}

// played is one connection: what comes over it before it breaks.
type played struct {
	status int
	kind   string // its content type; empty means events
	text   string
	stays  bool // it does not break
}

func newStreaming(t *testing.T, connections ...played) *streaming {
	t.Helper()
	s := &streaming{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.note(r)
		if n >= len(connections) {
			http.Error(w, "no more connections were expected", http.StatusTeapot)
			return
		}
		connections[n].play(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (p played) play(w http.ResponseWriter, r *http.Request) {
	kind := p.kind
	if kind == "" {
		kind = "text/event-stream; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.text)
	w.(http.Flusher).Flush()
	if p.stays {
		<-r.Context().Done()
	}
}

func (s *streaming) note(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+r.Header.Get("Last-Event-ID")))
	return len(s.asked) - 1
}

func (s *streaming) mustBeAsked(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// begins is what the API sends first.
const begins = "retry: 2000\nid: 1-0\n\n"

// change is an event as the API sends it, with more members at its end.
func change(id, order, status, more string) string {
	return fmt.Sprintf("id: %s\nevent: order\ndata: %s\n\n", id, changeJSON(id, order, status, more))
}

func changeJSON(id, order, status, more string) string {
	return fmt.Sprintf(`{"id":%q,"order_id":%q,"sequence":2,"status":%q,"time":"2026-11-24T00:00:00.123456Z"%s}`, id, order, status, more)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	failed := `,"attempt":3,"worker_id":"host-1","reason":"shop answered 503"`
	text := begins + ": heartbeat\nid: 1-9\n\n" +
		change("2-0", "a", "pending", "") + change("2-1", "b", "priority_processing", `,"attempt":1,"worker_id":"host-1"`) +
		change("3-0", "c", "failed", failed) + change("3-1", "d", "cancelled", `,"reason":"twice"`)
	for _, tt := range []struct{ output, stdout string }{
		{
			"table",
			"2026-11-24T00:00:00.123456Z  pending              a\n" +
				"2026-11-24T00:00:00.123456Z  priority_processing  b  attempt 1 by host-1\n" +
				"2026-11-24T00:00:00.123456Z  failed               c  attempt 3 by host-1: shop answered 503\n" +
				"2026-11-24T00:00:00.123456Z  cancelled            d  twice\n",
		},
		{
			"json",
			changeJSON("2-0", "a", "pending", "") + "\n" +
				changeJSON("2-1", "b", "priority_processing", `,"attempt":1,"worker_id":"host-1"`) + "\n" +
				changeJSON("3-0", "c", "failed", failed) + "\n" + changeJSON("3-1", "d", "cancelled", `,"reason":"twice"`) + "\n",
		},
	} {
		t.Run(tt.output, func(t *testing.T) {
			t.Parallel()
			api := newStreaming(t, played{status: 200, text: text + change("4-0", "e", "pending", ""), stays: true})
			orderctl(t, "events", "--status", "failed,pending", "--id", "a", "--id", "b,c", "--after", "1-0", "--count", "4",
				"-o", tt.output, "--api", api.URL).mustPrint(t, 0, tt.stdout, "")
			api.mustBeAsked(t, "GET /events?id=a%2Cb%2Cc&status=failed%2Cpending 1-0")
		})
	}
}

// TestEventsGoOn checks that a connection that breaks is made again, behind the last
// place that was heard of, be it an event's or not.
func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	api := newStreaming(t,
		played{status: 200, text: begins},
		played{status: 200, text: change("2-0", "a", "pending", "") + "id: 3-0\nevent: order\ndata: {\"id\""},
		played{status: 503, text: away, kind: "application/problem+json"},
		played{status: 200, text: "event: gap\ndata: {\"after\":\"2-0\"}\n\n:\nid: 5-0\n\n" + change("6-0", "b", "failed", "")},
		played{status: 200, text: change("7-0", "c", "failed", ""), stays: true})
	c := orderctl(t, "events", "--count", "3", "--api", api.URL)
	c.mustEnd(t, 0, `pending +a\n.*failed +b\n.*failed +c\n`,
		`^(?s).*orderctl: disconnected: the API ended the connection; trying again in \d+ms\norderctl: connected again\n`,
		`disconnected: 503: Redis is unavailable; run orderctl doctor for details; trying again in \d+ms\norderctl: connected again\n`,
		`orderctl: some events after 2-0 are no longer kept, and are missing here\n`)
	api.mustBeAsked(t, "GET /events", "GET /events 1-0", "GET /events 2-0", "GET /events 2-0", "GET /events 6-0")
}

// TestEventsAreInterrupted checks that Ctrl-C is the ordinary end.
func TestEventsAreInterrupted(t *testing.T) {
	t.Parallel()
	api := newStreaming(t, played{status: 200, text: begins + change("2-0", "a", "pending", ""), stays: true})
	c := &command{}
	c.start(t, "events", "--api", api.URL)
	c.mustSay(t, `pending +a\n`)
	if status := c.interrupt(t); status != 0 || c.stderr.String() != "" {
		t.Errorf("it ended with %d and said %s", status, c.stderr.String())
	}
}

func TestEventsAreRefused(t *testing.T) {
	t.Parallel()
	problemJSON := "application/problem+json"
	busy := played{status: 503, kind: problemJSON, text: problem(503, "Too many clients follow the events already.", "")}
	for _, tt := range []struct {
		name        string
		connections []played
		says        string
	}{
		{
			"filter",
			[]played{{status: 400, kind: problemJSON, text: problem(400, "Wrong.", `,"errors":[{"field":"status","message":"is not known"}]`)}},
			"orderctl: follow events: 400: status is not known\n",
		},
		{
			"key",
			[]played{{status: 403, kind: problemJSON, text: problem(403, "The key lacks the scope read.", "")}},
			"orderctl: follow events: 403: The key lacks the scope read.\n",
		},
		{"full", []played{busy, busy, busy, busy}, "orderctl: follow events: 503: Too many clients follow the events already.\n"},
		{"an old API", []played{{status: 404, kind: problemJSON, text: problem(404, "No such route.", "")}}, "orderctl: follow events: 404: No such route.\n"},
		{
			"no API",
			[]played{{status: 200, kind: "text/html", text: "<p>hello"}},
			"orderctl: follow events: the answer is not that of an order API; is the address right?\n",
		},
		{
			"no event of ours",
			[]played{{status: 200, text: "event: order\ndata: {}\n\n", stays: true}},
			"orderctl: follow events: the answer is not that of an order API; is the address right?\n",
		},
		{
			"refused later",
			[]played{{status: 200, text: begins}, {status: 400, kind: problemJSON, text: problem(400, "No such id.", "")}},
			"",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newStreaming(t, tt.connections...)
			c := orderctl(t, "events", "--api", api.URL)
			if tt.says == "" {
				c.mustEnd(t, 1, `orderctl: follow events: 400: No such id`)
				return
			}
			c.mustPrint(t, 1, "", tt.says)
		})
	}
}

func TestEventsFindNobody(t *testing.T) {
	t.Parallel()
	orderctl(t, "events", "--api", "http://127.0.0.1:1").mustEnd(t, 1,
		`^orderctl: follow events: no answer from the API at http://127.0.0.1:1: .*refused.*\n$`)
}

// TestEventsAreBounded checks that an event without an end does not fill the memory:
// the connection is given up.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	endless := played{status: 200, text: begins + "data: " + strings.Repeat("x", 1<<20), stays: true}
	api := newStreaming(t, endless, played{status: 200, text: change("2-0", "a", "pending", ""), stays: true})
	orderctl(t, "events", "--count", "1", "--api", api.URL).mustEnd(t, 0, `disconnected: .*token too long`, `pending +a\n`)
}

// TestEventsAreNDJSON checks that each line is a document of its own.
func TestEventsAreNDJSON(t *testing.T) {
	t.Parallel()
	api := newStreaming(t, played{status: 200, text: "event: order\ndata: {\"id\": \"2-0\",\ndata:  \"order_id\": \"a\"}\n\n", stays: true})
	c := orderctl(t, "events", "--count", "1", "-o", "json", "--api", api.URL)
	if line := c.stdout.String(); strings.Count(line, "\n") != 1 || !json.Valid([]byte(line)) {
		t.Errorf("the line is %q", line)
	}
}
