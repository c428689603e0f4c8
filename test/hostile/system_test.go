// Package hostile_test sends the real API what no good client would: text that is
// nearly JSON, requests that two servers could read in different ways, and
// connections that take their time. None of it may make the API answer 5xx,
// hang, do what nobody asked for, or keep others from being served.
package hostile_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// binaries is the folder of the program under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api"))
}

// system is an API with a Redis of its own, and no worker: what is accepted stays.
type system struct {
	*kit.API
	addr string
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
		Path: filepath.Join(binaries, "api"), Env: programtest.Settings("REDIS_URL=" + server.URL()),
	})
	s := &system{addr: api.Await(programtest.Listening)}
	s.API = kit.NewAPI(t, "http://"+s.addr, nil)
	t.Cleanup(func() {
		if drift := s.Stats().Ledger.Drift; drift != 0 {
			t.Errorf("the drift is %d", drift)
		}
		s.HTTP.CloseIdleConnections()
		api.Signal(os.Interrupt)
		if code := api.Exit(); code != 0 {
			t.Errorf("the API ended with %d", code)
		}
		if strings.Contains(api.Log(), "panic") {
			t.Error("the API panicked")
		}
		ledgertest.CheckBooks(t, rdb)
	})
	s.AwaitServing()
	return s
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
func check(a kit.Answer) (p problem, err error) {
	media := a.Header.Get("Content-Type")
	switch {
	case a.Code >= 200 && a.Code < 300:
		return p, nil
	case a.Code < 400 || a.Code >= 500 || media != "application/problem+json":
		return p, fmt.Errorf("answered %d as %q: %.300s", a.Code, media, a.Body)
	}
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return p, fmt.Errorf("answered %d with %.300s: %w", a.Code, a.Body, err)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.RequestID == "" || p.Status != a.Code {
		return p, fmt.Errorf("answered %d with an incomplete problem: %.300s", a.Code, a.Body)
	}
	return p, nil
}

// sendBatch sends lines as a batch, which must be read as one, and returns the lines of
// the answer.
func (s *system) sendBatch(t *testing.T, lines string) []string {
	t.Helper()
	a := s.Send(http.MethodPost, "/orders/batch", lines, "Content-Type", "application/x-ndjson")
	if a.Code != http.StatusOK {
		t.Fatalf("POST /orders/batch: %d %.300s", a.Code, a.Body)
	}
	return strings.Split(strings.TrimSpace(string(a.Body)), "\n")
}

// ids returns the id of every order. The books must count as many.
func (s *system) ids(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, o := range s.Orders() {
		all = append(all, o.ID)
	}
	if counted := s.Stats().Ledger.Accepted; int(counted) != len(all) {
		t.Errorf("%d orders are listed, and %d counted", len(all), counted)
	}
	return all
}
