// Package hostile_test sends the real API what no good client would: text that is
// nearly JSON, requests that two servers could read in different ways, and
// connections that take their time. Nothing of it may make the API answer 5xx,
// hang, do what nobody asked for, or keep others from being served.
package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// patience bounds every answer, and the end of the API: what takes longer hangs. How
// fast the machine is must not matter.
const patience = 5 * time.Minute

// binaries is the folder of the program under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api"))
}

// system is an API with a Redis of its own, and no worker: what is accepted stays.
type system struct {
	addr   string
	client *http.Client
}

// start runs both until the test ends, in parallel with other tests. At the end
// the API must still serve and stop on demand, and the books must balance.
func start(t *testing.T) *system {
	t.Helper()
	t.Parallel()
	return startAlone(t)
}

// startAlone is start for a test that runs alone.
func startAlone(t *testing.T) *system {
	t.Helper()
	server := redistest.Start(t)
	rdb := server.Client()
	api := programtest.Start(t, programtest.Config{
		Path: filepath.Join(binaries, "api"), Env: programtest.Settings("REDIS_URL=" + server.URL()), Patience: patience,
	})
	s := &system{client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	t.Cleanup(func() {
		s.stats(t)
		s.client.CloseIdleConnections()
		api.Signal(os.Interrupt)
		if code := api.Exit(); code != 0 {
			t.Errorf("the API ended with %d", code)
		}
		if strings.Contains(api.Log(), "panic") {
			t.Error("the API panicked")
		}
		ledgertest.CheckBooks(t, rdb)
	})
	s.addr = api.Await(programtest.Listening)
	programtest.Until(t, "the API serves", func() bool {
		a, err := s.ask(http.MethodGet, "/stats", "", "")
		return err == nil && a.code == http.StatusOK
	})
	return s
}

// answer is what came back for a request.
type answer struct {
	code  int
	media string
	body  []byte
}

// ask sends a request, and does so again, as clients should, while Redis does not answer
// the API in time: machines are busy. An order that such a request has left is new to its
// client. Without a media type the body has none.
func (s *system) ask(method, path, media, body string) (a answer, err error) {
	tries := 0
	programtest.Poll(patience, func() bool {
		tries++
		a, err = s.once(method, path, media, body)
		return a.code != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "redis-unavailable")
	})
	if tries > 1 && method == http.MethodPost && path == "/orders" && a.code == http.StatusOK {
		a.code = http.StatusCreated
	}
	return a, err
}

// once sends one request.
func (s *system) once(method, path, media, body string) (answer, error) {
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
