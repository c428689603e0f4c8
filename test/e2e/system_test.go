// Package e2e_test runs the whole machine as its users do: the two real
// binaries as processes of their own, a real Redis, a shop over HTTP, and
// orders that go in over HTTP only.
package e2e_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/spectest"
)

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/cmd/orderctl"))
}

// system is a Redis with the programs around it.
type system struct {
	t      *testing.T
	redis  *redistest.Server
	admin  *redis.Client // may do everything
	client *http.Client
	api    *programtest.TestProcess
	url    string
	// workerEnv are settings of all workers.
	workerEnv []string
}

// bothWays runs a test with prefetching workers and with workers on plain Asynq servers. It
// is for tests of the hand-over, retries, shutdown and priorities.
func bothWays(t *testing.T, test func(t *testing.T, s *system)) {
	t.Helper()
	t.Parallel()
	for name, prefetch := range map[string]string{"prefetching": "true", "plain": "false"} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.workerEnv = []string{"ORDERS_WORKER_PREFETCH=" + prefetch}
			test(t, s)
		})
	}
}

// start runs a Redis and one API. When the test ends the books are checked, and
// that the programs asked for nothing that their user may not do.
func start(t *testing.T) *system {
	t.Helper()
	t.Parallel()
	s := &system{t: t, client: newClient(t), redis: redistest.Start(t,
		"--appendonly", "yes", "--appendfsync", "everysec", "--include", users(t))}
	s.admin = adminOf(t, s.redis)
	t.Cleanup(func() { checkDenied(t, s.admin) })
	t.Cleanup(func() { ledgertest.CheckBooks(t, s.admin) })
	s.api = s.spawn("api")
	s.url = "http://" + s.api.Await(programtest.Listening)
	s.until("the API serves", func() bool { return s.status("GET", "/stats", "") == http.StatusOK })
	return s
}

// spawn starts a program, which is killed when the test ends if it still runs.
func (s *system) spawn(name string, env ...string) *programtest.TestProcess {
	s.t.Helper()
	env = append([]string{"REDIS_URL=" + asUser(s.redis.URL(), "orders")}, env...)
	return programtest.Start(s.t, programtest.Config{Path: filepath.Join(binaries, name), Env: programtest.Settings(env...)})
}

// worker starts a worker that retries fast, and waits until it is alive.
func (s *system) worker(env ...string) *programtest.TestProcess {
	s.t.Helper()
	env = slices.Concat([]string{"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms"}, s.workerEnv, env)
	p := s.spawn("worker", env...)
	p.Await(`"msg":"worker is starting"`)
	s.until("a worker is alive", func() bool { return s.stats().ActiveWorkers > 0 })
	return p
}

// until polls a condition.
func (s *system) until(what string, ok func() bool) {
	s.t.Helper()
	programtest.Until(s.t, what, ok)
}

// answer is what came back for a request.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// call sends one request to the API.
func (s *system) call(method, path, body string) answer {
	s.t.Helper()
	return s.send(method, s.url+path, body)
}

// send sends a request, and does so again, as clients should, while Redis does not
// answer the API in time: machines are busy. An order that such a request has left is
// new to its client.
func (s *system) send(method, url, body string, headers ...string) answer {
	s.t.Helper()
	var got answer
	tries := 0
	s.until(method+" "+url+" is answered", func() bool {
		tries++
		got = s.once(method, url, body, headers...)
		return got.code != http.StatusServiceUnavailable || !strings.Contains(string(got.body), "redis-unavailable")
	})
	if tries > 1 && method == http.MethodPost && strings.HasSuffix(url, "/orders") && got.code == http.StatusOK {
		got.code = http.StatusCreated
	}
	return got
}

// once sends one request; headers alternate names and values. A body is JSON unless a
// header says otherwise.
func (s *system) once(method, url, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// newClient returns a client whose every exchange is held to the specification.
func newClient(t *testing.T) *http.Client {
	// The API ends a connection that brings no request within ten seconds, perhaps just
	// when one is sent on it.
	transport := &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: spectest.Transport(t, transport), Timeout: programtest.Patience}
}

func (s *system) status(method, path, body string) int {
	s.t.Helper()
	return s.call(method, path, body).code
}
