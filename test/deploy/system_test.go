// Package deploy_test runs the examples of the folder deploy: real Redis servers,
// Sentinels and a proxy from the very files, in which only addresses, ports and
// paths are replaced, and the real programs with them.
package deploy_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/cmd/orderctl"))
}

// system is an API and its workers.
type system struct {
	*kit.API
	t   *testing.T
	api *programtest.TestProcess
}

// startSystem starts an API and so many workers, and waits until orders are accepted.
func startSystem(t *testing.T, workers int, env ...string) *system {
	t.Helper()
	f := startAPI(t, env...)
	for range workers {
		start(t, settings(env), filepath.Join(binaries, "worker"))
	}
	f.awaitHealth()
	return f
}

// startAPI starts an API alone and does not wait for its Redis.
func startAPI(t *testing.T, env ...string) *system {
	t.Helper()
	f := &system{t: t, api: start(t, settings(env), filepath.Join(binaries, "api"))}
	f.API = kit.NewAPI(t, "http://"+f.api.Await(programtest.Listening), nil)
	return f
}

func settings(env []string) []string {
	return programtest.Settings(append([]string{
		"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms", "ORDERS_WORKER_CONCURRENCY=16",
	}, env...)...)
}

// start runs a program until the test ends.
func start(t *testing.T, env []string, path string, args ...string) *programtest.TestProcess {
	t.Helper()
	return programtest.Start(t, programtest.Config{Path: path, Args: args, Env: env})
}

// startRedis starts a Redis from the example and returns its REDIS_URL.
func startRedis(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	port := programtest.FreePorts(t, 1)[0]
	start(t, nil, redistest.Program(), kit.Example(t, "redis.conf", dir), "--port", port, "--dir", dir, "--bind", "127.0.0.1")
	return "REDIS_URL=redis://127.0.0.1:" + port + "/0"
}

// awaitHealth waits until orders are accepted and worked. The answers may come through a
// proxy that has just started.
func (f *system) awaitHealth() {
	f.t.Helper()
	programtest.Until(f.t, "orders are accepted and worked", func() bool {
		got, err := f.Ask(http.MethodGet, "/health", "")
		return err == nil && got.Code == http.StatusOK
	})
}

// order is the body that submits an order.
func order(id string) string {
	return fmt.Sprintf(`{"id":%q,"amount":12.5,"items":["tea"],"customer":"ada","address":"1 Road"}`, id)
}

// submit sends an order again and again until it is accepted, as a client should.
func (f *system) submit(id string) {
	f.t.Helper()
	programtest.Until(f.t, "order "+id+" is accepted", func() bool {
		got, err := f.Ask(http.MethodPost, "/orders", order(id))
		if err == nil && got.Code/100 == 4 {
			f.t.Fatalf("order %s was answered %d: %s", id, got.Code, got.Body)
		}
		return err == nil && got.Code/100 == 2
	})
}

// settle waits until an order is completed.
func (f *system) settle(id string) {
	f.t.Helper()
	programtest.Until(f.t, "order "+id+" is completed", func() bool { return f.Order(id).Status == "completed" })
}

// need skips the test if a tool cannot be installed, or fails it if CI is true.
func need(t *testing.T, tool string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s: %v", tool, err)
	default:
		t.Skipf("skipped, as %s is out of reach: %v", tool, err)
	}
}
