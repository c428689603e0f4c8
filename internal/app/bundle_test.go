package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
	"orderprocessor/internal/programtest"
)

// environ is the environment of a program on free ports that stops soon.
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

// logTo returns options with a log in JSON.
func logTo(w io.Writer) app.Options { return app.Options{Log: slog.New(slog.NewJSONHandler(w, nil))} }

func newAPI(t *testing.T, opts app.Options, env []string) *apiapp.API {
	t.Helper()
	cfg, err := config.LoadAPI(env)
	must(t, err)
	a, err := apiapp.New(cfg, opts)
	must(t, err)
	return a
}

func newWorker(t *testing.T, opts app.Options, env []string) *workerapp.Worker {
	t.Helper()
	cfg, err := config.LoadWorker(env)
	must(t, err)
	w, err := workerapp.New(cfg, opts)
	must(t, err)
	return w
}

// newBoth returns an API and a worker by their names.
func newBoth(t *testing.T, env []string) map[string]program {
	t.Helper()
	return map[string]program{"API": newAPI(t, logTo(io.Discard), env), "worker": newWorker(t, logTo(io.Discard), env)}
}

// running is a program that runs.
type running struct {
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
	err  error         // what it returned
}

// start runs a program until the test ends.
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

// wait returns what Run returned.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(programtest.Patience):
		t.Fatalf("still running after %v", programtest.Patience)
		return nil
	}
}

// system is an API and a worker that run on one Redis.
type system struct {
	api       *apiapp.API
	worker    *workerapp.Worker
	apiRun    *running
	workerRun *running
	url       string
}

func startSystem(t *testing.T, opts app.Options, env []string) *system {
	t.Helper()
	s := &system{api: newAPI(t, opts, env), worker: newWorker(t, opts, env)}
	s.apiRun, s.workerRun, s.url = start(t, s.api), start(t, s.worker), "http://"+s.api.Addr()
	return s
}

// startReady starts a system without a log and waits until it is ready.
func startReady(t *testing.T, env []string) *system {
	t.Helper()
	s := startSystem(t, logTo(io.Discard), env)
	s.awaitReady(t)
	return s
}

func (s *system) programs() map[string]program {
	return map[string]program{"API": s.api, "worker": s.worker}
}

func (s *system) awaitReady(t *testing.T) {
	t.Helper()
	for name, p := range s.programs() {
		awaitReady(t, name, p)
	}
}

func awaitReady(t *testing.T, name string, p program) {
	t.Helper()
	programtest.Until(t, name+" is ready", func() bool { return readyz(t, p).code == 200 })
}

// startAPI starts an API without a log and waits until it is ready.
func startAPI(t *testing.T, env []string) *apiapp.API {
	t.Helper()
	a := newAPI(t, logTo(io.Discard), env)
	start(t, a)
	awaitReady(t, "the API", a)
	return a
}

// awaitStatus waits until an order has a status.
func awaitStatus(t *testing.T, url, id, status string) {
	t.Helper()
	programtest.Until(t, id+" is "+status, func() bool { return ask(t, "GET", url+"/orders/"+id, "").body["status"] == status })
}

// submit sends an order that must be accepted.
func submit(t *testing.T, url, body string) {
	t.Helper()
	programtest.Until(t, "the order is accepted", func() bool {
		got := ask(t, "POST", url+"/orders", body)
		if got.code != 201 && got.code != 200 && got.code != 503 { // 503 from a busy machine, and then perhaps 200
			t.Fatalf("submit is answered %+v", got)
		}
		return got.code != 503
	})
}

// answer is the answer to a request; code 0 means none.
type answer struct {
	code   int
	header http.Header
	text   string
	body   map[string]any // if it is a JSON object
}

// reason is why a program is unavailable.
func (a answer) reason() string { return fmt.Sprint(a.body["reason"]) }

const order = `{"id":"ord_1","amount":12.5,"items":["tea"],"customer":"Ada","address":"x"}`

// orderOf returns an order; see shop for what its item may be.
func orderOf(id, item string, amount float64) string {
	return fmt.Sprintf(`{"id":%q,"amount":%v,"items":[%q],"customer":"Ada","address":"x"}`, id, amount, item)
}

// ask sends a request with a JSON body, on a connection of its own.
func ask(t *testing.T, method, url, body string) answer {
	t.Helper()
	return send(t, method, url, body, http.Header{})
}

// send is ask with these headers; Host is the name under which the server is asked.
func send(t *testing.T, method, url, body string, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	must(t, err)
	req.Header, req.Host = header.Clone(), header.Get("Host")
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	client := &http.Client{Timeout: programtest.Patience, Transport: &http.Transport{}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	a := answer{code: resp.StatusCode, header: resp.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.body)
	return a
}

// readyz asks a program whether it is ready.
func readyz(t *testing.T, p program) answer {
	t.Helper()
	return ask(t, http.MethodGet, "http://"+p.AdminAddr()+"/readyz", "")
}

// checkState returns the code of /readyz and the state of one check.
func checkState(t *testing.T, p program, name string) string {
	t.Helper()
	got := readyz(t, p)
	checks, _ := got.body["checks"].([]any)
	for _, c := range checks {
		if one, _ := c.(map[string]any); one["name"] == name {
			return fmt.Sprintf("%d %v", got.code, one["state"])
		}
	}
	return fmt.Sprintf("%d, no check", got.code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
