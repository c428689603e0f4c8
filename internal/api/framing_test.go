package api_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
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
