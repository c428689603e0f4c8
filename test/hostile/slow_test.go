package hostile_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The limits of the API that these tests hold it to, as internal/httpserver/limits.go
// has them.
const (
	readTimeout   = 10 * time.Second
	writeTimeout  = 10 * time.Second
	lingerTimeout = 2 * time.Second
	// slack is what a busy machine gets on top.
	slack = 2 * time.Minute
)

// slowClient is a kind of client that takes its time.
type slowClient struct {
	name  string
	count int
	start string // what it sends at once
	drip  string // and then twice a second; nothing for a client that is silent
	reads bool   // whether it takes the answers
	ends  time.Duration
}

const nobody = "GET /stats HTTP/1.1\r\nHost: a\r\n"

func slowClients() []slowClient {
	return []slowClient{
		{"silent", 1000, "", "", true, readTimeout + lingerTimeout},
		{"idle after a request", 1000, nobody + "\r\n", "", true, 0}, // may stay for idleTimeout
		{"slow line", 50, "G", "E", true, readTimeout + lingerTimeout},
		{"slow headers", 100, nobody, "X-A: b\r\n", true, readTimeout + lingerTimeout},
		{"slow body", 100, post + "Content-Length: 100000\r\n\r\n{", " ", true, readTimeout + lingerTimeout},
		{"slow chunks", 100, post + chunked, "1\r\n \r\n", true, readTimeout + lingerTimeout},
		{"body that nobody reads", 50, nobody + "Content-Length: 100000\r\n\r\n", "x", true, readTimeout + lingerTimeout},
		{"never reads", 16, strings.Repeat("GET /orders?limit=200 HTTP/1.1\r\nHost: a\r\n\r\n", 40), "\r\n", false, writeTimeout + lingerTimeout},
	}
}

// TestSlowClients has 2,400 of them at once: those that are in the middle of
// something are put an end to in time, and everybody else is served meanwhile. They have
// the machine for themselves: no other test runs at the same time.
func TestSlowClients(t *testing.T) {
	s := startAlone(t)
	s.fill(t)
	var running sync.WaitGroup
	for _, kind := range slowClients() {
		conns := make([]*net.TCPConn, kind.count)
		for k := range conns {
			conns[k] = s.open(t, kind)
		}
		if kind.ends == 0 {
			continue
		}
		for _, c := range conns {
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

// open connects a client and sends what it begins with.
func (s *system) open(t *testing.T, kind slowClient) *net.TCPConn {
	t.Helper()
	c := s.dial(t)
	if !kind.reads {
		if err := c.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(c, kind.start); err != nil {
		t.Fatalf("%s: %v", kind.name, err)
	}
	return c
}

// await returns nil when the API has put an end to the connection in time.
func (k slowClient) await(c *net.TCPConn) error {
	begun := time.Now()
	if err := c.SetDeadline(begun.Add(k.ends + slack)); err != nil {
		return err
	}
	if !k.reads {
		return k.send(c)
	}
	var sending sync.WaitGroup
	sending.Go(func() { _ = k.send(c) })
	_, err := io.Copy(io.Discard, c)
	_ = c.Close() // for send to end
	sending.Wait()
	if late(err) {
		return fmt.Errorf("still open after %v", time.Since(begun))
	}
	return nil
}

// send drips until the connection breaks. A client that does not read can learn
// of its end in no other way.
func (k slowClient) send(c net.Conn) error {
	if k.drip == "" {
		return nil
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(c, k.drip); late(err) {
			return errors.New("still open: " + err.Error())
		} else if err != nil {
			return nil // what this waits for
		}
	}
	return nil
}

func late(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// serveUntil submits and reads orders as a good client until the slow ones have
// ended, and returns how many and how long the slowest of them took.
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
		if a := s.Send(http.MethodPost, "/orders", plain(id)); a.Code != http.StatusCreated {
			t.Fatalf("POST /orders: %d %s", a.Code, a.Body)
		}
		s.Order(id)
		served++
		slowest = max(slowest, time.Since(begun))
	}
}

// fill submits orders of which a page is too large for the buffers of a
// connection.
func (s *system) fill(t *testing.T) {
	t.Helper()
	items := strings.Join(slices.Repeat([]string{`"` + strings.Repeat("x", 200) + `"`}, 100), ",")
	var lines strings.Builder
	for k := range 200 {
		lines.WriteString(orderWith(fmt.Sprintf("large-%d", k), "items", "["+items+"]") + "\n")
	}
	s.sendBatch(t, lines.String())
}
