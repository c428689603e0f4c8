package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

// cacheStream is the Cache-Control of a stream.
const cacheStream = "no-cache, no-store, no-transform"

// subscriber is a client of GET /events.
type subscriber struct {
	*http.Response
	conn  net.Conn
	lines *bufio.Scanner
	id    string // of the last event or heartbeat
}

// subscribe requests events by a version of HTTP and waits for the first heartbeat. Headers
// end with line breaks. The connection closes with the test.
func (s *site) subscribe(t *testing.T, version, query, headers string) *subscriber {
	t.Helper()
	conn := s.dial(t)
	_, err := fmt.Fprintf(conn, "GET /events%s HTTP/%s\r\nHost: a\r\n%s\r\n", query, version, headers)
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	t.Cleanup(func() { _, _ = conn.Close(), resp.Body.Close() })
	checkSecured(t, resp.Header)
	chunked, length := len(resp.TransferEncoding) > 0, resp.ContentLength
	if resp.StatusCode != 200 || chunked != (version == "1.1") || length >= 0 || !resp.Close {
		t.Fatalf("HTTP/%s: answered %d, chunked %t, length %d, close %t", version, resp.StatusCode, chunked, length, resp.Close)
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": cacheStream} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	f := &subscriber{Response: resp, conn: conn, lines: bufio.NewScanner(resp.Body)}
	f.heartbeat(t)
	return f
}

// heartbeat reads up to the next heartbeat.
func (f *subscriber) heartbeat(t *testing.T) {
	t.Helper()
	for name, _ := f.next(t); name != ""; name, _ = f.next(t) {
	}
}

// next reads one event, and returns its name and data, or none for a heartbeat.
func (f *subscriber) next(t *testing.T) (name string, data map[string]any) {
	t.Helper()
	for f.lines.Scan() {
		field, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch field {
		case "id":
			f.id = value
		case "event":
			name = value
		case "data":
			checkTimes(t, []byte(value))
			must(t, json.Unmarshal([]byte(value), &data))
		}
		if f.lines.Text() == "" {
			return name, data
		}
	}
	t.Fatalf("the stream has ended: %v", f.lines.Err())
	return "", nil
}

// events reads n events of orders, and returns each as "order status".
func (f *subscriber) events(t *testing.T, n int) (all []string) {
	t.Helper()
	for len(all) < n {
		name, data := f.next(t)
		if name == "order" {
			all = append(all, fmt.Sprint(data["order_id"], " ", data["status"]))
		}
	}
	return all
}

// TestSubscribe sends each event once, as it happens, with all its members.
func TestSubscribe(t *testing.T) {
	b := open(t)
	resp, err := b.client.Get("http://" + b.addr + "/events") // compares it with the specification
	must(t, err)
	must(t, resp.Body.Close())
	f := b.subscribe(t, "1.1", "", "")
	b.reach(t, "o1", order.StatusPending)
	name, data := f.next(t)
	events, err := b.ledger.Events(t.Context(), "o1")
	must(t, err)
	want := map[string]any{
		"id": events[0].ID, "order_id": "o1", "sequence": 1.0, "status": "pending", "time": order.FormatTime(events[0].At),
	}
	if diff := cmp.Diff(want, data); diff != "" || name != "order" || f.id != events[0].ID {
		t.Errorf("event %s with id %s (-want +got):\n%s", name, f.id, diff)
	}
	b.reach(t, "o2", order.StatusPending)
	b.move(t, "o1", order.StatusCancelled)
	for _, want := range []string{"order o2 pending", "order o1 cancelled"} { // and nothing between them
		name, data = f.next(t)
		if got := fmt.Sprint(name, " ", data["order_id"], " ", data["status"]); got != want {
			t.Errorf("then came %s, want %s", got, want)
		}
	}
}

// TestSubscribeWithFilter sends the events of these statuses or orders alone.
func TestSubscribeWithFilter(t *testing.T) {
	b := open(t)
	byStatus, byID := b.subscribe(t, "1.1", "?status=cancelled,failed", ""), b.subscribe(t, "1.1", "?id=o2,o3", "")
	b.reach(t, "o1", order.StatusPending)
	b.reach(t, "o2", order.StatusCancelled)
	b.move(t, "o1", order.StatusCancelled)
	if diff := cmp.Diff([]string{"o2 cancelled", "o1 cancelled"}, byStatus.events(t, 2)); diff != "" {
		t.Errorf("by status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"o2 pending", "o2 cancelled"}, byID.events(t, 2)); diff != "" {
		t.Errorf("by id (-want +got):\n%s", diff)
	}
}

// TestSubscribeAgain checks that a subscriber that reconnects misses nothing, also at
// another API process. A proxy may use HTTP/1.0.
func TestSubscribeAgain(t *testing.T) {
	b := open(t)
	f := b.subscribe(t, "1.0", "", "Connection: keep-alive\r\n")
	first := f.id
	b.reach(t, "o1", order.StatusPending)
	f.events(t, 1)
	must(t, f.conn.Close())
	b.reach(t, "o2", order.StatusPending)
	other := serve(t, parts{Parts: b.parts})
	after := func(id string) string { return "Last-Event-ID: " + id + "\r\n" }
	for _, row := range []struct {
		site                    *site
		version, query, headers string
		want                    []string
	}{
		{other, "1.1", "", after(f.id), []string{"o2 pending"}},
		{b.site, "1.0", "", after(first), []string{"o1 pending", "o2 pending"}},
		{b.site, "1.0", "?status=pending&last_event_id=" + f.id, "Connection: close\r\n", []string{"o2 pending"}},
		{other, "1.1", "?last_event_id=" + first, after(f.id), []string{"o2 pending"}}, // the header has precedence
	} {
		again := row.site.subscribe(t, row.version, row.query, row.headers)
		if diff := cmp.Diff(row.want, again.events(t, len(row.want))); diff != "" {
			t.Errorf("HTTP/%s %q %q (-want +got):\n%s", row.version, row.query, row.headers, diff)
		}
		must(t, again.conn.Close())
		programtest.Until(t, "the stream has ended", func() bool { return b.hub.Streams() == 0 })
	}
}

// TestSubscribeUntilTheServerStops ends streams without an error when the server stops.
func TestSubscribeUntilTheServerStops(t *testing.T) {
	b := open(t)
	streams := []*subscriber{b.subscribe(t, "1.0", "", ""), b.subscribe(t, "1.1", "", "")}
	b.stop()
	for _, f := range streams {
		for f.lines.Scan() {
			if text := f.lines.Text(); text != "" && !strings.HasPrefix(text, ":") && !strings.HasPrefix(text, "id: ") {
				t.Errorf("the end of the stream is %q", text)
			}
		}
		must(t, f.lines.Err())
	}
}

// TestSubscribeAfterGap reports events that are no longer kept, and continues with new ones.
func TestSubscribeAfterGap(t *testing.T) {
	b := open(t)
	b.fill(t, 3)
	must(t, b.rdb.XTrimMaxLen(t.Context(), "orders:{b0}:e", 1).Err())
	for _, after := range []string{"1-0", "18446744073709551615-0"} {
		f := b.subscribe(t, "1.1", "", "Last-Event-ID: "+after+"\r\n")
		name, data := f.next(t)
		if name != "gap" || data["after"] != after {
			t.Errorf("after %s, the first event is %s %v", after, name, data)
		}
		f.heartbeat(t)
		b.reach(t, "new-"+after, order.StatusPending)
		if got := f.events(t, 1)[0]; got != "new-"+after+" pending" {
			t.Errorf("after %s, then came %s", after, got)
		}
		must(t, f.conn.Close())
	}
}

// TestSubscribeRefuses lists what is wrong with a filter or a position.
func TestSubscribeRefuses(t *testing.T) {
	b := open(t)
	for query, want := range map[string]string{
		"?queue=low": "queue unknown_field", "?status=done": "status invalid", "?status=failed,,rejected": "status invalid",
		"?status=": "status invalid", "?status=failed&status=failed": "status too_many", "?id=%3Cimg%20src%3Dx%3E": "id invalid",
		"?id=" + strings.Repeat("o1,", 100) + "o1": "id too_many", "?last_event_id=yesterday": "last_event_id invalid",
		"?last_event_id=": "last_event_id invalid", "?last_event_id=1-0&last_event_id=2-0": "last_event_id too_many",
	} {
		b.checkRefused(t, "GET", "/events"+query, "", want)
	}
	for _, id := range []string{"yesterday", strings.Repeat("9", 8000), "99999999999999999999-0", "1-0\r\nLast-Event-ID: 2-0"} {
		p := b.askRaw(t, "GET /events HTTP/1.0\r\nHost: a\r\nLast-Event-ID: "+id+"\r\n\r\n").problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Field != "Last-Event-ID" {
			t.Errorf("%.80q is answered %v", id, p.fields())
		}
	}
}

// TestSubscribeTooMany bounds the subscribers, and admits another one as soon as a client
// has disconnected, without a write to it.
func TestSubscribeTooMany(t *testing.T) {
	b := open(t)
	var all []*subscriber
	for range maxTestStreams {
		all = append(all, b.subscribe(t, "1.1", "", ""))
	}
	full := b.ask(t, http.MethodGet, "/events", "")
	if p := full.problem(t, 503); p.Type != typeNoRoom || full.header.Get("Retry-After") != "5" {
		t.Errorf("the problem is %+v, Retry-After %s", p, full.header.Get("Retry-After"))
	}
	if got := b.ask(t, http.MethodHead, "/events", ""); got.code != 503 {
		t.Errorf("HEAD is answered %d", got.code)
	}
	begun := time.Now()
	must(t, all[0].conn.Close())
	programtest.Until(t, "a stream has ended", func() bool {
		got := b.ask(t, http.MethodHead, "/events", "")
		return got.code == 200 && got.header.Get("Content-Type") == "text/event-stream"
	})
	if took := time.Since(begun); took >= api.HeartbeatInterval {
		t.Errorf("that took %v: it waited for a heartbeat", took)
	}
	for range maxTestStreams { // HEAD opens no stream
		if got := b.ask(t, http.MethodHead, "/events", ""); got.code != 200 {
			t.Errorf("HEAD is answered %d", got.code)
		}
	}
}
