// Package hostile_test sends the real API what no good client would: text that is nearly
// JSON, requests that two servers could read in different ways, and requests that arrive
// slowly. None of it may make the API answer 5xx, hang, do what nobody asked for, or keep
// others from being served.
package hostile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

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

// start is startAlone for a test that runs in parallel with others.
func start(t *testing.T) *system {
	t.Helper()
	t.Parallel()
	return startAlone(t)
}

// startAlone runs both until the test ends. At the end the API must still serve and stop on
// demand, and the books must balance.
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
	Type, Title, Detail, Instance string
	Status                        int
	RequestID                     string `json:"request_id"`
}

// check returns an error unless an answer is a success, or a complete problem that blames
// the client.
func check(a kit.Answer) (p problem, err error) {
	if a.Code >= 200 && a.Code < 300 {
		return p, nil
	}
	err = json.Unmarshal(a.Body, &p)
	if err != nil || a.Code < 400 || a.Code >= 500 || a.Header.Get("Content-Type") != "application/problem+json" ||
		p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.RequestID == "" || p.Status != a.Code {
		return p, errors.Join(fmt.Errorf("answered %d, %v: %.300s", a.Code, a.Header, a.Body), err)
	}
	return p, nil
}

// dial opens a bare connection, which is closed with the test.
func (s *system) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// statusLine begins every answer. No body of an answer here contains its like.
var statusLine = regexp.MustCompile(`HTTP/1\.[01] (\d{3}) [A-Z]`)

// sendRaw sends bytes as they are, and returns the statuses of all answers until the API
// closes the connection.
func (s *system) sendRaw(t *testing.T, request string) (codes []int) {
	t.Helper()
	c := s.dial(t)
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(programtest.Patience)); err != nil {
		t.Fatal(err)
	}
	// The API may have closed before all is sent: what it has answered counts.
	_, _ = io.WriteString(c, request)
	_ = c.CloseWrite()
	text, err := io.ReadAll(c)
	if late(err) {
		t.Errorf("the connection is still open after %v", programtest.Patience)
	}
	for _, found := range statusLine.FindAllSubmatch(text, -1) {
		code, _ := strconv.Atoi(string(found[1])) // three digits
		codes = append(codes, code)
	}
	return codes
}

// late reports whether an error is a deadline that has passed.
func late(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
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

// ids returns the id of every order. The statistics must count as many.
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
