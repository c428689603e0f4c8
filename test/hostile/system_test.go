// Package hostile_test sends the real API what no good client would: text that is
// nearly JSON, requests that two servers could read in different ways, and
// connections that take their time. Nothing of it may make the API answer 5xx,
// hang, do what nobody asked for, or keep others from being served.
package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// patience bounds every wait, and every answer: one that takes longer hangs.
const patience = 30 * time.Second

var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the API once for all tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "api")
	build := exec.Command("go", "build", "-o", binary, "orderprocessor/cmd/api")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the API:", err)
		return 1
	}
	return m.Run()
}

// system is an API with a Redis of its own, and no worker: what is accepted stays.
type system struct {
	addr   string
	client *http.Client
}

// start runs both until the test ends, in parallel with other tests. At the end
// the API must still serve and stop as it is told, and the books must balance.
func start(t *testing.T) *system {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client()
	var log buffer
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "REDIS_URL="+server.URL(), "ORDERS_HTTP_ADDR=127.0.0.1:0",
		"ORDERS_ADMIN_ADDR=127.0.0.1:0", "ORDERS_LOG_FORMAT=json")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &system{client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	t.Cleanup(func() {
		s.stats(t)
		s.client.CloseIdleConnections()
		if err := stop(cmd); err != nil {
			t.Errorf("the API ended with %v:\n%s", err, log.tail())
		}
		if strings.Contains(log.String(), "panic") {
			t.Errorf("the API panicked:\n%s", log.tail())
		}
		ledgertest.CheckBooks(t, rdb)
	})
	listening := regexp.MustCompile(`"msg":"API is listening","addr":"([^"]+)"`)
	until(t, "the API listens", func() bool {
		found := listening.FindStringSubmatch(log.String())
		if found != nil {
			s.addr = found[1]
		}
		return found != nil
	})
	until(t, "the API serves", func() bool {
		a, err := s.ask(http.MethodGet, "/stats", "", "")
		return err == nil && a.code == http.StatusOK
	})
	return s
}

// stop asks a program to end, and makes it end when it does not.
func stop(cmd *exec.Cmd) error {
	_ = cmd.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	return cmd.Wait()
}

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("gave up waiting until %s", what)
		}
	}
}

// answer is what came back for a request.
type answer struct {
	code  int
	media string
	body  []byte
}

// ask sends one request. Without a media type the body has none.
func (s *system) ask(method, path, media, body string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header.Get("Content-Type"), text}, err
}

// problem is the body of an error.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Instance  string `json:"instance"`
	RequestID string `json:"request_id"`
}

// check returns what is wrong with the form of an answer; nothing when it is a
// success or a complete problem that blames the client.
func (a answer) check() (problem, error) {
	var p problem
	switch {
	case a.code >= 200 && a.code < 300:
		return p, nil
	case a.code < 400 || a.code >= 500:
		return p, fmt.Errorf("answered %d: %.300s", a.code, a.body)
	case a.media != "application/problem+json":
		return p, fmt.Errorf("answered %d as %q: %.300s", a.code, a.media, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		return p, fmt.Errorf("answered %d with %.300s: %w", a.code, a.body, err)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.RequestID == "" || p.Status != a.code {
		return p, fmt.Errorf("answered %d with a problem that is not complete: %.300s", a.code, a.body)
	}
	return p, nil
}

// stats returns how many orders the books have, and wants them to balance.
func (s *system) stats(t *testing.T) int {
	t.Helper()
	a, err := s.ask(http.MethodGet, "/stats", "", "")
	var v struct {
		Ledger struct {
			Accepted int `json:"accepted"`
			Drift    int `json:"drift"`
		} `json:"ledger"`
	}
	if err != nil || a.code != http.StatusOK || json.Unmarshal(a.body, &v) != nil || v.Ledger.Drift != 0 {
		t.Errorf("GET /stats: %d %s, %v", a.code, a.body, err)
	}
	return v.Ledger.Accepted
}

// ids returns the id of every order there is, page by page.
func (s *system) ids(t *testing.T) []string {
	t.Helper()
	var all []string
	for next := "/orders?limit=200"; next != ""; {
		a, err := s.ask(http.MethodGet, next, "", "")
		var page struct {
			Orders []struct {
				ID string `json:"id"`
			} `json:"orders"`
			Cursor string `json:"next_cursor"`
		}
		if err != nil || a.code != http.StatusOK || json.Unmarshal(a.body, &page) != nil {
			t.Fatalf("GET %s: %d %.300s, %v", next, a.code, a.body, err)
		}
		for _, o := range page.Orders {
			all = append(all, o.ID)
		}
		next = ""
		if page.Cursor != "" {
			next = "/orders?limit=200&cursor=" + page.Cursor
		}
	}
	return all
}

// buffer collects what a process writes.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *buffer) tail() string {
	text := b.String()
	return text[max(0, len(text)-4000):]
}
