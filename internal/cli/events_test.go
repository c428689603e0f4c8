package cli_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// brokenStream is a connection to the stream of events that breaks after a text.
func brokenStream(text string) reply {
	return reply{body: text, headers: "Content-Type: text/event-stream; charset=utf-8"}
}

// openStream is one that does not break.
func openStream(text string) reply {
	r := brokenStream(text)
	r.stays = true
	return r
}

// newEventsAPI returns an API with these connections, one after the other.
func newEventsAPI(t *testing.T, connections ...reply) *fakeAPI {
	t.Helper()
	return newFakeAPI(t, routes{"GET /events": connections})
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
		strings.Replace(change("2-0", "a", "pending", ""), ",", ", \ndata: ", 1) + change("2-1", "b", "priority_processing", `,"attempt":1,"worker_id":"host-1"`) +
		change("3-0", "c", "failed", failed) + change("3-1", "d", "cancelled", `,"reason":"twice"`) +
		change("3-2", "d", "rejected", `,"reason":"stolen","actor":"ops"`)
	for _, tt := range []struct{ output, stdout string }{
		{
			"table",
			"2026-11-24T00:00:00.123456Z  pending              a\n" +
				"2026-11-24T00:00:00.123456Z  priority_processing  b  attempt 1 by host-1\n" +
				"2026-11-24T00:00:00.123456Z  failed               c  attempt 3 by host-1: shop answered 503\n" +
				"2026-11-24T00:00:00.123456Z  cancelled            d  twice\n" +
				"2026-11-24T00:00:00.123456Z  rejected             d  by ops: stolen\n",
		},
		{
			"json",
			changeJSON("2-0", "a", "pending", "") + "\n" +
				changeJSON("2-1", "b", "priority_processing", `,"attempt":1,"worker_id":"host-1"`) + "\n" +
				changeJSON("3-0", "c", "failed", failed) + "\n" + changeJSON("3-1", "d", "cancelled", `,"reason":"twice"`) + "\n" +
				changeJSON("3-2", "d", "rejected", `,"reason":"stolen","actor":"ops"`) + "\n",
		},
	} {
		t.Run(tt.output, func(t *testing.T) {
			t.Parallel()
			api := newEventsAPI(t, openStream(text+change("4-0", "e", "pending", "")))
			orderctl(t, "events", "--status", "failed,pending", "--id", "a", "--id", "b,c", "--after", "1-0", "--count", "5",
				"-o", tt.output, "--api", api.URL).mustPrint(t, 0, tt.stdout, "")
			api.mustReceive(t, "GET /events?id=a%2Cb%2Cc&status=failed%2Cpending 1-0")
		})
	}
}

// TestEventsGoOn checks that a connection that breaks is made again, after the last id
// that was received, with or without an event.
func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	api := newEventsAPI(t,
		brokenStream(begins),
		brokenStream(change("2-0", "a", "pending", "")+"id: 3-0\nevent: order\ndata: {\"id\""),
		reply{status: 503, body: away},
		brokenStream("event: gap\ndata: {\"after\":\"2-0\"}\n\n:\nid: 5-0\n\n"+change("6-0", "b", "failed", "")),
		openStream(change("7-0", "c", "failed", "")))
	c := orderctl(t, "events", "--count", "3", "--api", api.URL)
	c.mustExit(t, 0, `pending +a\n.*failed +b\n.*failed +c\n`,
		`^(?s).*orderctl: disconnected: the API ended the connection; trying again in \d+ms\norderctl: connected again\n`,
		`disconnected: 503: Redis is unavailable; run orderctl doctor for details; trying again in \d+ms\norderctl: connected again\n`,
		`orderctl: some events after 2-0 are no longer kept, and are missing here\n`)
	api.mustReceive(t, "GET /events", "GET /events 1-0", "GET /events 2-0", "GET /events 2-0", "GET /events 6-0")
}

// TestEventsOfBooks says how to continue where the id of an event is no place to do so.
func TestEventsOfBooks(t *testing.T) {
	t.Parallel()
	one, two := order.EventPosition{{Time: 1}, {}}.String(), order.EventPosition{{Time: 1}, {Time: 2}}.String()
	event := strings.Replace(change("2-0.1", "a", "pending", ""), "id: 2-0.1", "id: "+two, 1)
	api := newEventsAPI(t, openStream(event))
	orderctl(t, "events", "--after", one, "--count", "1", "-o", "json", "--api", api.URL).mustPrint(t, 0,
		changeJSON("2-0.1", "a", "pending", "")+"\n", "orderctl: to continue after the last event, use --after "+two+"\n")
	api.mustReceive(t, "GET /events "+one)
}

// TestEventsAreInterrupted checks that Ctrl-C is the ordinary end.
func TestEventsAreInterrupted(t *testing.T) {
	t.Parallel()
	api := newEventsAPI(t, openStream(begins+change("2-0", "a", "pending", "")))
	c := &command{}
	c.start(t, "events", "--api", api.URL)
	c.waitFor(t, `pending +a\n`)
	if status := c.interrupt(t); status != 0 || c.stderr.String() != "" {
		t.Errorf("it ended with %d and wrote %s", status, c.stderr.String())
	}
}

func TestEventsAreRefused(t *testing.T) {
	t.Parallel()
	refusal := func(status int, detail, more string) reply {
		return reply{status: status, body: problem(status, detail, more)}
	}
	busy := refusal(503, "Too many clients follow the events already.", "")
	for name, tt := range map[string]struct {
		connections []reply
		want        string
	}{
		"filter":           {[]reply{refusal(400, "Wrong.", `,"errors":[{"field":"status","message":"is not known"}]`)}, "400: status is not known\n"},
		"key":              {[]reply{refusal(403, "The key lacks the scope read.", "")}, "403: The key lacks the scope read.\n"},
		"full":             {[]reply{busy, busy, busy, busy}, "503: Too many clients follow the events already.\n"},
		"an old API":       {[]reply{refusal(404, "No such route.", "")}, "404: No such route.\n"},
		"no API":           {[]reply{{body: "<p>hello"}}, notAPI},
		"no event of ours": {[]reply{openStream("event: order\ndata: {}\n\n")}, notAPI},
		"refused later":    {[]reply{brokenStream(begins), refusal(400, "No such id.", "")}, "400: No such id.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := orderctl(t, "events", "--api", newEventsAPI(t, tt.connections...).URL)
			c.mustExit(t, 1, `(?m)^orderctl: follow events: `+regexp.QuoteMeta(tt.want)+"$")
		})
	}
	orderctl(t, "events", "--api", "http://127.0.0.1:1").mustExit(t, 1,
		`^orderctl: follow events: no answer from the API at http://127.0.0.1:1: .*refused.*\n$`)
}

// TestEventsAreBounded checks that an event without an end does not fill the memory:
// the connection is given up.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	api := newEventsAPI(t, openStream(begins+"data: "+strings.Repeat("x", 1<<20)), openStream(change("2-0", "a", "pending", "")))
	orderctl(t, "events", "--count", "1", "--api", api.URL).mustExit(t, 0, `disconnected: .*token too long`, `pending +a\n`)
}
