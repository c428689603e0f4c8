package deploy_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
)

// system is an API and its workers.
type system struct {
	t      *testing.T
	client *http.Client
	url    string // of the API
	api    *programtest.TestProcess
}

// startSystem starts an API and so many workers, and waits until orders are accepted.
func startSystem(t *testing.T, workers int, env ...string) *system {
	t.Helper()
	f := startAPI(t, env...)
	for range workers {
		start(t, f.settings(env), filepath.Join(binaries, "worker"))
	}
	programtest.Until(t, "orders are accepted and worked", func() bool {
		status, _ := f.get("/health")
		return status == http.StatusOK
	})
	return f
}

// startAPI starts an API alone and does not wait for its Redis.
func startAPI(t *testing.T, env ...string) *system {
	t.Helper()
	f := &system{t: t, client: &http.Client{Timeout: programtest.Patience, Transport: &http.Transport{IdleConnTimeout: 5 * time.Second}}}
	t.Cleanup(f.client.CloseIdleConnections)
	f.api = start(t, f.settings(env), filepath.Join(binaries, "api"))
	f.url = "http://" + f.api.Await(programtest.Listening)
	return f
}

func (f *system) settings(env []string) []string {
	return programtest.Settings(append([]string{
		"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms", "ORDERS_WORKER_CONCURRENCY=16",
	}, env...)...)
}

// get returns the status and the body of an answer; 0 if there is none.
func (f *system) get(path string) (int, string) {
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.send(req)
}

func (f *system) send(req *http.Request) (int, string) {
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// submit sends an order again and again until it is accepted, as a client should.
func (f *system) submit(id string) {
	f.t.Helper()
	programtest.Until(f.t, "order "+id+" is accepted", func() bool {
		status, text := f.send(f.order(id))
		if status != 0 && status < http.StatusInternalServerError && status >= http.StatusBadRequest {
			f.t.Fatalf("order %s was answered %d: %s", id, status, text)
		}
		return status == http.StatusCreated || status == http.StatusOK
	})
}

// order is the request that sends an order.
func (f *system) order(id string) *http.Request {
	f.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"amount":12.5,"items":["tea"],"customer":"ada","address":"1 Road"}`, id)
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url+"/orders", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

// settle waits until an order is completed.
func (f *system) settle(id string) {
	f.t.Helper()
	programtest.Until(f.t, "order "+id+" is completed", func() bool {
		status, text := f.get("/orders/" + id)
		if status == http.StatusNotFound {
			f.t.Fatalf("order %s is lost: %s", id, text)
		}
		return status == http.StatusOK && strings.Contains(text, `"status":"completed"`)
	})
}
