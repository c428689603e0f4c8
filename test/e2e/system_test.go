// Package e2e_test runs the whole machine as its users do: the two real
// binaries as processes of their own, a real Redis, a shop over HTTP, and
// orders that go in over HTTP only.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/spectest"
)

// patience bounds every wait; a loaded machine gets what it needs.
const patience = 60 * time.Second

var binaries string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the programs once for all tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	build := exec.Command("go", "build", "-o", dir, "orderprocessor/cmd/api", "orderprocessor/cmd/worker")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs:", err)
		return 1
	}
	return m.Run()
}

// system is a Redis with the programs around it.
type system struct {
	t      *testing.T
	redis  *redistest.Server
	admin  *redis.Client // may do everything
	client *http.Client
	api    *process
	url    string
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
	s.api = s.spawn("api", "ORDERS_HTTP_ADDR=127.0.0.1:0")
	s.url = "http://" + s.api.wait(`"msg":"API is listening","addr":"([^"]+)"`)
	s.until("the API serves", func() bool { return s.status("GET", "/stats", "") == http.StatusOK })
	return s
}

// spawn starts a program, which is killed when the test ends if it still runs.
func (s *system) spawn(name string, env ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, name: name, cmd: exec.Command(filepath.Join(binaries, name)), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "REDIS_URL="+asUser(s.redis.URL(), "orders"), "ORDERS_ADMIN_ADDR=127.0.0.1:0", "ORDERS_LOG_FORMAT=json")
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	s.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if s.t.Failed() {
			s.t.Logf("log of %s:\n%s", name, p.log.tail())
		}
	})
	return p
}

// worker starts a worker that retries fast, and waits until it is alive.
func (s *system) worker(env ...string) *process {
	s.t.Helper()
	p := s.spawn("worker", append([]string{"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms"}, env...)...)
	p.wait(`"msg":"(worker is starting)"`)
	s.until("a worker is alive", func() bool { return s.stats().ActiveWorkers > 0 })
	return p
}

// until polls a condition.
func (s *system) until(what string, ok func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("gave up waiting until %s", what)
		}
	}
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

// send sends one request; headers alternate names and values. A body is JSON
// unless a header says otherwise.
func (s *system) send(method, url, body string, headers ...string) answer {
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
	return &http.Client{Transport: spectest.Transport(t, transport), Timeout: patience}
}

func (s *system) status(method, path, body string) int {
	s.t.Helper()
	return s.call(method, path, body).code
}

// orderView is what the tests read of an order.
type orderView struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	Queue         string    `json:"queue"`
	Handling      string    `json:"handling"`
	Success       *bool     `json:"success"`
	Result        string    `json:"result"`
	Error         string    `json:"error"`
	ProcessAt     time.Time `json:"process_at"`
	NextAttemptAt string    `json:"next_attempt_at"`
	Attempts      []struct {
		Number    int       `json:"number"`
		WorkerID  string    `json:"worker_id"`
		StartedAt time.Time `json:"started_at"`
		Error     string    `json:"error"`
		Note      string    `json:"note"`
	} `json:"attempts"`
}

func (s *system) order(id string) orderView {
	s.t.Helper()
	got := s.call("GET", "/orders/"+id, "")
	if got.code != http.StatusOK {
		s.t.Fatalf("GET /orders/%s answered %d: %s", id, got.code, got.body)
	}
	return decode[orderView](s.t, got.body)
}

// settled waits for the order's outcome.
func (s *system) settled(id string) orderView {
	s.t.Helper()
	var o orderView
	s.until("order "+id+" is settled", func() bool {
		o = s.order(id)
		return o.Result != ""
	})
	return o
}

// statsView is what the tests read of the statistics.
type statsView struct {
	TotalProcessed int64            `json:"total_processed"`
	SuccessCount   int64            `json:"success_count"`
	ErrorCount     int64            `json:"error_count"`
	ActiveWorkers  int              `json:"active_workers"`
	QueueLength    int64            `json:"queue_length"`
	Throughput     float64          `json:"throughput_per_second"`
	ByStatus       map[string]int64 `json:"by_status"`
	Queues         map[string]struct {
		Paused bool `json:"paused"`
	} `json:"queues"`
	Ledger struct {
		Accepted int64 `json:"accepted"`
		Attempts int64 `json:"attempts"`
		Retried  int64 `json:"retried"`
		Drift    int64 `json:"drift"`
	} `json:"ledger"`
}

func (s *system) stats() statsView {
	s.t.Helper()
	got := s.call("GET", "/stats", "")
	if got.code != http.StatusOK {
		s.t.Fatalf("GET /stats answered %d: %s", got.code, got.body)
	}
	return decode[statsView](s.t, got.body)
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

// process is one running program.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{}
	err  error
}

// wait waits for a line of the log and returns what the pattern's group holds.
func (p *process) wait(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := re.FindStringSubmatch(p.log.String()); m != nil {
			return m[1]
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("%s ended without logging %s:\n%s", p.name, pattern, p.log.tail())
		case <-ctx.Done():
			p.t.Fatalf("%s did not log %s:\n%s", p.name, pattern, p.log.tail())
		}
	}
}

// stop sends SIGTERM and wants a clean exit.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		p.t.Errorf("%s exited with %d after SIGTERM:\n%s", p.name, code, p.log.tail())
	}
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end and returns the exit status.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s did not end:\n%s", p.name, p.log.tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// logBuffer collects what a process writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) tail() string {
	text := b.String()
	return text[max(0, len(text)-4000):]
}

// shop is the fulfilment stub. It answers by order id, and remembers every
// call.
type shop struct {
	url    string
	answer func(id string, call int) int

	mu    sync.Mutex
	calls map[string]int
}

// openShop starts a shop; without an answer it takes every order.
func openShop(t *testing.T, answer func(id string, call int) int) *shop {
	t.Helper()
	if answer == nil {
		answer = func(string, int) int { return http.StatusOK }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{url: "http://" + l.Addr().String() + "/fulfil", answer: answer, calls: map[string]int{}}
	server := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	s.calls[id]++
	call := s.calls[id]
	s.mu.Unlock()
	w.WriteHeader(s.answer(id, call))
	_, _ = fmt.Fprintf(w, "call %d for %s", call, id)
}

func (s *shop) called(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}
