package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
)

// environ is a program's environment on free ports, with a short patience.
func environ(redisURL string, more ...string) []string {
	return append([]string{
		"REDIS_URL=" + redisURL, "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_SHUTDOWN_TIMEOUT=10s", "ORDERS_WORKER_CONCURRENCY=4",
	}, more...)
}

// program is the API or a worker.
type program interface {
	Run(ctx context.Context) error
	AdminAddr() string
}

// running is a program that runs.
type running struct {
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
	err  error         // what it returned
}

// start runs a program, and stops it with the test.
func start(t *testing.T, p program) *running {
	t.Helper()
	r := &running{done: make(chan struct{})}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() {
		defer close(r.done)
		r.err = p.Run(ctx)
	}()
	t.Cleanup(func() {
		r.stop()
		<-r.done
	})
	return r
}

// patience bounds every wait for what should happen soon. It only ends a test that
// hangs: how fast the machine is must not matter.
const patience = 5 * time.Minute

// wait returns what Run returned, which should be soon.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(patience):
		t.Fatalf("still running after %v", patience)
		return nil
	}
}

func newAPI(t *testing.T, log io.Writer, env []string) *app.API {
	t.Helper()
	cfg, err := config.LoadAPI(env)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.NewAPI(cfg, app.Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newWorker(t *testing.T, log io.Writer, env []string) *app.Worker {
	t.Helper()
	cfg, err := config.LoadWorker(env)
	if err != nil {
		t.Fatal(err)
	}
	w, err := app.NewWorker(cfg, app.Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// answer is what came back of one request; code 0 is none.
type answer struct {
	code int
	body map[string]any
}

const order = `{"id":"ord_1","amount":12.5,"items":["tea"],"customer":"Ada","address":"x"}`

// ask sends a request with a JSON body, on a connection of its own.
func ask(t *testing.T, method, url, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{code: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a.body); err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return a
}

// readyz asks a program whether to send work to it.
func readyz(t *testing.T, p program) answer {
	t.Helper()
	return ask(t, http.MethodGet, "http://"+p.AdminAddr()+"/readyz", "")
}

// eventually asks until the condition holds, for as long as patience lasts.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still not so: %s", what)
		}
	}
}

// logBuffer keeps the log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
