package hostile_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// endsWithin is how long the API may keep a connection that does not proceed: the time to
// read a request or write an answer, and to linger, as internal/httpserver/limits.go has
// them, with two minutes for a busy machine.
const endsWithin = 10*time.Second + 2*time.Second + 2*time.Minute

// slowClient is a kind of client that is slow.
type slowClient struct {
	name  string
	count int
	start string // what it sends at once
	drip  string // what it sends twice a second after that; empty for nothing
	reads bool   // it reads the answers
	stays bool   // the API may keep the connection
}

func slowClients() []slowClient {
	return []slowClient{
		{"silent", 1000, "", "", true, false},
		{"idle after a request", 1000, get + "\r\n", "", true, true},
		{"slow line", 50, "G", "E", true, false},
		{"slow headers", 100, get, "X-A: b\r\n", true, false},
		{"slow body", 100, post + "Content-Length: 100000\r\n\r\n{", " ", true, false},
		{"slow chunks", 100, post + chunked, "1\r\n \r\n", true, false},
		{"body that no route reads", 50, get + "Content-Length: 100000\r\n\r\n", "x", true, false},
		{"never reads", 16, strings.Repeat("GET /orders?limit=200 HTTP/1.1\r\nHost: a\r\n\r\n", 40), "\r\n", false, false},
	}
}

// TestSlowClients connects 2,400 slow clients at once. The API ends their connections in time
// and serves others meanwhile. No other test runs at the same time.
func TestSlowClients(t *testing.T) {
	s := startAlone(t)
	s.fill(t)
	var running sync.WaitGroup
	for _, kind := range slowClients() {
		for range kind.count {
			c := s.dial(t)
			var err error
			if !kind.reads {
				err = c.SetReadBuffer(4 << 10)
			}
			_, err2 := io.WriteString(c, kind.start)
			if err := errors.Join(err, err2); err != nil {
				t.Fatalf("%s: %v", kind.name, err)
			}
			if kind.stays {
				continue
			}
			running.Go(func() {
				if err := kind.await(c); err != nil {
					t.Errorf("%s: %v", kind.name, err)
				}
			})
		}
	}
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	served, slowest := s.serveUntil(t, ended)
	t.Logf("%d others were served meanwhile, each within %v", served, slowest.Round(time.Millisecond))
	if served < 5 {
		t.Errorf("only %d others were served", served)
	}
}

// await returns nil when the API has ended the connection in time.
func (k slowClient) await(c *net.TCPConn) error {
	if err := c.SetDeadline(time.Now().Add(endsWithin)); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- k.send(c) }()
	var err error
	if k.reads {
		_, err = io.Copy(io.Discard, c)
		_ = c.Close() // ends send
	}
	if late(err) || late(<-sent) {
		return fmt.Errorf("still open after %v", endsWithin)
	}
	return nil
}

// send drips until the connection breaks, and returns why it did. A client that does not
// read can learn of its end in no other way.
func (k slowClient) send(c net.Conn) error {
	if k.drip == "" {
		return nil
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		<-tick.C
		if _, err := io.WriteString(c, k.drip); err != nil {
			return err
		}
	}
}

// serveUntil submits and reads orders as a good client until the slow ones have ended. It
// returns how many, and how long the slowest of them took.
func (s *system) serveUntil(t *testing.T, ended <-chan struct{}) (served int, slowest time.Duration) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return served, slowest
		case <-tick.C:
		}
		begun := time.Now()
		id := fmt.Sprintf("meanwhile-%d", served)
		if a := s.Send(http.MethodPost, "/orders", document{y, plain}.with(id)); a.Code != http.StatusCreated {
			t.Fatalf("POST /orders: %d %s", a.Code, a.Body)
		}
		s.Order(id)
		served++
		slowest = max(slowest, time.Since(begun))
	}
}

// fill submits orders of which a page is too large for the buffers of a connection.
func (s *system) fill(t *testing.T) {
	t.Helper()
	large := orderWith("items", list(100, `"`+strings.Repeat("x", 200)+`"`)) + "\n"
	var lines strings.Builder
	for k := range 200 {
		lines.WriteString(document{y, large}.with(fmt.Sprintf("large-%d", k)))
	}
	s.sendBatch(t, lines.String())
}
