package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"

	"orderprocessor/internal/programtest"
)

// subscriber is a client of GET /events.
type subscriber struct {
	*http.Response
	lines *bufio.Scanner
	id    string // of the last event or heartbeat
}

// subscribe asks for events and waits for the first heartbeat. The answer is closed
// with the test.
func (s *site) subscribe(t *testing.T, query, lastEventID string) *subscriber {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/events"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	secured(t, resp.Header)
	f := &subscriber{Response: resp, lines: bufio.NewScanner(resp.Body)}
	if resp.StatusCode == http.StatusOK {
		f.alive(t)
	}
	return f
}

// alive reads up to the next heartbeat.
func (f *subscriber) alive(t *testing.T) {
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
			timely(t, []byte(value))
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				t.Fatalf("data %s: %v", value, err)
			}
		}
		if f.lines.Text() == "" {
			return name, data
		}
	}
	t.Fatalf("the stream has ended: %v", f.lines.Err())
	return "", nil
}

// events reads that many events of orders, and returns each as "order status".
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

func TestSubscribe(t *testing.T) {
	b := open(t)
	f := b.subscribe(t, "", "")
	if got := f.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type is %q", got)
	}
	if !f.Close {
		t.Error("the connection is not closed after the stream")
	}
	if got := f.Header.Get("X-Accel-Buffering"); got != "no" {
		t.Errorf("X-Accel-Buffering is %q", got)
	}
	b.pending(t, "o1")
	name, data := f.next(t)
	events, err := b.ledger.Events(t.Context(), "o1")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": events[0].ID, "order_id": "o1", "sequence": 1.0, "status": "pending", "time": order.FormatTime(events[0].At),
	}
	if diff := cmp.Diff(want, data); diff != "" || name != "order" || f.id != events[0].ID {
		t.Errorf("event %s with id %s (-want +got):\n%s", name, f.id, diff)
	}
	b.pending(t, "o2")
	b.cancelled(t, "o1")
	for _, want := range []string{"order o2 pending", "order o1 cancelled"} { // and nothing between them
		name, data = f.next(t)
		if got := fmt.Sprint(name, " ", data["order_id"], " ", data["status"]); got != want {
			t.Errorf("then came %s, want %s", got, want)
		}
	}
}

func TestSubscribeWithFilter(t *testing.T) {
	b := open(t)
	byStatus, byID := b.subscribe(t, "?status=cancelled,failed", ""), b.subscribe(t, "?id=o2,o3", "")
	b.pending(t, "o1")
	b.pending(t, "o2")
	b.cancelled(t, "o1")
	b.cancelled(t, "o2")
	if diff := cmp.Diff([]string{"o1 cancelled", "o2 cancelled"}, byStatus.events(t, 2)); diff != "" {
		t.Errorf("by status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"o2 pending", "o2 cancelled"}, byID.events(t, 2)); diff != "" {
		t.Errorf("by id (-want +got):\n%s", diff)
	}
}

// TestSubscribeAgain holds that a subscriber that reconnects misses nothing, also at another
// API process.
func TestSubscribeAgain(t *testing.T) {
	b := open(t)
	f := b.subscribe(t, "", "")
	first := f.id
	b.pending(t, "o1")
	f.events(t, 1)
	_ = f.Body.Close()
	b.pending(t, "o2")
	other := serve(t, parts{Parts: b.parts})
	for name, row := range map[string]struct {
		site         *site
		query, after string
		want         []string
	}{
		"after the last event":         {other, "", f.id, []string{"o2 pending"}},
		"after the first heartbeat":    {b.site, "", first, []string{"o1 pending", "o2 pending"}},
		"by the query":                 {b.site, "?status=pending&last_event_id=" + f.id, "", []string{"o2 pending"}},
		"by both, and the header wins": {other, "?last_event_id=" + first, f.id, []string{"o2 pending"}},
	} {
		again := row.site.subscribe(t, row.query, row.after)
		if diff := cmp.Diff(row.want, again.events(t, len(row.want))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		_ = again.Body.Close()
		programtest.Until(t, "a stream has ended", func() bool { return b.ask(t, http.MethodHead, "/events", "").code == 200 })
	}
}

func TestSubscribeAfterGap(t *testing.T) {
	b := open(t)
	for _, id := range []string{"o1", "o2", "o3"} {
		b.pending(t, id)
	}
	if err := b.rdb.XTrimMaxLen(t.Context(), "orders:{b0}:e", 1).Err(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, after string }{{"long ago", "1-0"}, {"an id that never was", "18446744073709551615-0"}} {
		f := b.subscribe(t, "", row.after)
		name, data := f.next(t)
		if name != "gap" || data["after"] != row.after {
			t.Errorf("%s: the first event is %s %v", row.name, name, data)
		}
		f.alive(t)
		b.pending(t, "new-"+row.after)
		if got := f.events(t, 1)[0]; got != "new-"+row.after+" pending" {
			t.Errorf("%s: then came %s", row.name, got)
		}
		_ = f.Body.Close()
	}
}

func TestSubscribeRefuses(t *testing.T) {
	b := open(t)
	for query, want := range map[string]string{
		"?queue=low": "queue unknown_field", "?status=done": "status invalid", "?status=failed,,rejected": "status invalid",
		"?status=": "status invalid", "?status=failed&status=failed": "status too_many", "?id=%3Cimg%20src%3Dx%3E": "id invalid",
		"?id=" + strings.Repeat("o1,", 100) + "o1": "id too_many", "?last_event_id=yesterday": "last_event_id invalid",
		"?last_event_id=": "last_event_id invalid", "?last_event_id=1-0&last_event_id=2-0": "last_event_id too_many",
	} {
		b.wantRefusal(t, "GET", "/events"+query, "", want)
	}
	for _, id := range []string{"yesterday", strings.Repeat("9", 8000), "99999999999999999999-0", "1-0\r\nLast-Event-ID: 2-0"} {
		p := b.sayOne(t, "GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: "+id+"\r\n\r\n").problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Field != "Last-Event-ID" {
			t.Errorf("%.80q is answered %v", id, p.fields())
		}
	}
}

func TestSubscribeFromOtherSites(t *testing.T) {
	b := open(t)
	if p := b.ask(t, http.MethodGet, "/events", "", "Sec-Fetch-Site", "cross-site").problem(t, 403); p.Type != typeCrossSite {
		t.Errorf("another site's page is answered %+v", p)
	}
}

// TestSubscribeTooMany bounds the subscribers, and admits another one as soon as a client
// has disconnected, without a write to it.
func TestSubscribeTooMany(t *testing.T) {
	b := open(t)
	var all []*subscriber
	for range maxTestStreams {
		all = append(all, b.subscribe(t, "", ""))
	}
	full := b.ask(t, http.MethodGet, "/events", "")
	if p := full.problem(t, 503); p.Type != "tag:orderprocessor,2026:no-room" || full.header.Get("Retry-After") != "5" {
		t.Errorf("the problem is %+v, Retry-After %s", p, full.header.Get("Retry-After"))
	}
	if got := b.ask(t, http.MethodHead, "/events", ""); got.code != 503 {
		t.Errorf("HEAD is answered %d", got.code)
	}
	begun := time.Now()
	_ = all[0].Body.Close()
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

// pending accepts an order.
func (b *bundle) pending(t *testing.T, id string) {
	t.Helper()
	if _, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) cancelled(t *testing.T, id string) {
	t.Helper()
	if _, err := b.ledger.Cancel(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
}
