package api_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/live"
	"orderprocessor/internal/programtest"
)

// oldSubscriber is a client of HTTP/1.0 that reads events.
type oldSubscriber struct {
	subscriber
	conn net.Conn
}

// subscribeOld asks for events by HTTP/1.0, as proxies may, and reads the header.
func (b *bundle) subscribeOld(t *testing.T, target, header string) *oldSubscriber {
	t.Helper()
	conn := b.dial(t)
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n%s\r\n", target, header); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close(), resp.Body.Close() })
	secured(t, resp.Header)
	if resp.StatusCode != 200 || len(resp.TransferEncoding) > 0 || resp.ContentLength >= 0 || !resp.Close {
		t.Fatalf("the answer is %d, framed by %v, %d, close %t", resp.StatusCode, resp.TransferEncoding, resp.ContentLength, resp.Close)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-cache, no-store, no-transform",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	f := &oldSubscriber{subscriber{Response: resp, lines: bufio.NewScanner(resp.Body)}, conn}
	f.alive(t)
	return f
}

// TestSubscribeByHTTP10 sends events to a client of HTTP/1.0 until the connection
// closes, without chunks, as proxies speak it to what is behind them.
func TestSubscribeByHTTP10(t *testing.T) {
	b := open(t)
	for i, header := range []string{"Host: a\r\n", "Host: a\r\nConnection: close\r\n", "Host: a\r\nConnection: keep-alive\r\n"} {
		f := b.subscribeOld(t, "/events?status=pending", header)
		id := fmt.Sprintf("o%d", i)
		b.pending(t, id)
		if all := f.events(t, 1); all[0] != id+" pending" {
			t.Errorf("%q gets %v", header, all)
		}
		b.pending(t, id+".missed")
		again := b.subscribeOld(t, "/events?last_event_id="+f.id, header)
		if all := again.events(t, 1); all[0] != id+".missed pending" {
			t.Errorf("a client that comes back gets %v", all)
		}
		_, _ = f.conn.Close(), again.conn.Close()
		programtest.Until(t, "the streams have ended", func() bool { return b.parts.Live.(*live.Hub).Streams() == 0 })
	}
	if a := b.sayOne(t, "HEAD /events HTTP/1.0\r\nHost: a\r\n\r\n"); a.code != 200 {
		t.Errorf("HEAD is answered %d", a.code)
	}
	b.sayOne(t, "GET /events?status=none HTTP/1.0\r\nHost: a\r\n\r\n").problem(t, 400)
	last := b.subscribeOld(t, "/events", "Host: a\r\n")
	b.stop()
	for last.lines.Scan() {
		if text := last.lines.Text(); text != "" && !strings.HasPrefix(text, ":") && !strings.HasPrefix(text, "id: ") {
			t.Errorf("the end of the stream is %q", text)
		}
	}
	if err := last.lines.Err(); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	<-b.done
}
