package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/httpserver"
)

// dial opens a bare connection to the site.
func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// say sends bytes as they are and returns all answers until the server closes
// the connection.
func (s *site) say(t *testing.T, request string) []answer {
	t.Helper()
	c := s.dial(t)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return answers(t, c)
}

func answers(t *testing.T, c net.Conn) []answer {
	t.Helper()
	var all []answer
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatalf("after %d answers: %v", len(all), err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, answer{code: resp.StatusCode, header: resp.Header, body: text})
	}
}

// TestSmuggling refuses requests that two servers in a row could read in different ways,
// and what follows them on the same connection. test/hostile has the long list.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	const head = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer " + canary + "\r\n"
	whole := body()
	rows := []struct{ name, request string }{
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"},
		{"length and chunks", head + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(whole), len(whole), whole)},
		{"chunks and length", head + fmt.Sprintf("transfer-encoding: chunked\r\ncontent-length: %d\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(whole), len(whole), whole)},
		{"line feed in a chunk's extension", head + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n"},
		{"line feed behind a chunk's size", head + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"},
		{"line feed behind a header", "GET /nothing HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"},
		{"fold in front of all headers", "GET /nothing HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"},
	}
	const second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			all := s.say(t, row.request+second)
			if len(all) != 1 {
				t.Fatalf("%d answers came; want one, and the connection closed: %+v", len(all), all)
			}
			all[0].problem(t, 400)
			if strings.Contains(s.log.String(), canary) {
				t.Error("the log shows the key")
			}
		})
	}
}

// canary is a key that no log may show.
const canary = "ok_canary-canary-canary-canary-canary-canary-ca"

// TestKeyInPath keeps a key out of log and answer that somebody took for an id.
func TestKeyInPath(t *testing.T) {
	b := open(t)
	a := b.ask(t, "GET", "/orders/"+canary, "")
	if a.problem(t, 404); strings.Contains(string(a.body)+b.log.String(), "canary") {
		t.Errorf("the answer is %s, the log says %s", a.body, b.log)
	}
}

// TestHiddenInTrailer closes the connection after chunks whatever the method, as a
// request could hide in the trailer.
func TestHiddenInTrailer(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	for _, method := range []string{"POST", "FOO", "PUT"} {
		all := s.say(t, method+" /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n")
		if len(all) != 1 {
			t.Errorf("%s: %d answers came", method, len(all))
		}
	}
}

// TestPipelining keeps requests on one connection apart, for comparison. A chunked
// one is the last: what follows it could be hidden in its trailer.
func TestPipelining(t *testing.T) {
	b := open(t)
	post := "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	request := post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body()), body()) +
		"GET /orders/ord_1 HTTP/1.1\r\nHost: a\r\n\r\n" +
		post + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body()), body())
	var codes []int
	for _, a := range b.say(t, request) {
		codes = append(codes, a.code)
	}
	if diff := cmp.Diff([]int{201, 200, 200}, codes); diff != "" {
		t.Error(diff)
	}
}

// TestExpectContinue lets a client ask before it sends a body.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	all := s.say(t, fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"+
		"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", httpserver.MaxBodyBytes+1))
	if len(all) == 0 {
		t.Fatal("no answer came")
	}
	all[len(all)-1].problem(t, 413)
}

// TestBounds wants every bound of the HTTP server set: its own defaults know no
// time limits.
func TestBounds(t *testing.T) {
	t.Parallel()
	got := serve(t, parts{}).server.Bounds()
	want := api.Bounds{
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second,
		BodyBytes: 256 << 10, HeaderBytes: 16 << 10, Connections: 16_384,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSlowClients closes connections whose requests do not arrive in time, and
// gives a batch longer.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	p := taking(noIntake(t))
	p.hurried = true
	s := serve(t, p)
	rows := []struct{ name, start, drip string }{
		{"silent", "", ""},
		{"header stalls", "POST /orders HTTP/1.1\r\nHost: a\r\n", ""},
		{"header drips", "POST /orders HTTP/1.1\r\nHost: a\r\nX-A: ", "x"},
		{"body stalls", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{", ""},
		{"body drips", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", " "},
		{"chunks drip", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
	}
	batch := s.dial(t)
	if _, err := io.WriteString(batch, cut{media: ndjson, body: inChunks("x\n")}.request()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	conns := make([]net.Conn, len(rows)) // all at once, to wait only once
	for i, row := range rows {
		conns[i] = s.dial(t)
		if _, err := io.WriteString(conns[i], row.start); err != nil {
			t.Fatal(err)
		}
		if row.drip != "" {
			go drip(t.Context(), conns[i], row.drip)
		}
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			text, err := io.ReadAll(conns[i])
			took := time.Since(begun)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Fatalf("still open after %v", took)
			}
			if took > 20*hurry || took < hurry/2 {
				t.Errorf("closed after %v", took)
			}
			if silent := row.start == ""; silent != (len(text) == 0) || !silent && !strings.HasPrefix(string(text), "HTTP/1.1 408") {
				t.Errorf("answer is %q", text)
			}
		})
	}
	if _, err := io.WriteString(batch, "0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := batch.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all := answers(t, batch); len(all) != 1 || all[0].code != 200 {
		t.Errorf("a batch that arrives as slowly is answered %+v", all)
	}
}

// drip sends a piece every half second until the connection breaks or ctx ends.
func drip(ctx context.Context, c net.Conn, piece string) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
	}
}
