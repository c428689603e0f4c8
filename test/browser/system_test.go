package browser_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// system is a Redis with the programs around it, and the shop.
type system struct {
	t     *testing.T
	redis *redistest.Server
	shop  *shop
	env   []string
	url   string
}

// start runs a Redis that keeps its data, an API and a shop, and no worker. The books
// are checked when the test ends.
func start(t *testing.T, env ...string) *system {
	t.Helper()
	t.Parallel()
	needBrowser(t)
	s := &system{t: t, redis: redistest.Start(t, "--appendonly", "yes"), shop: openShop(t)}
	t.Cleanup(func() { ledgertest.CheckBooks(t, s.redis.Client()) })
	s.env = append([]string{
		"REDIS_URL=" + s.redis.URL(), "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_FULFILMENT_URL=" + s.shop.url, "ORDERS_WORKER_CONCURRENCY=8", "ORDERS_SHUTDOWN_TIMEOUT=10s",
		"ORDERS_ATTEMPT_TIMEOUT=5s", "ORDERS_FULFILMENT_TIMEOUT=4s",
	}, env...)
	cfg, err := config.LoadAPI(s.env)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.NewAPI(cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	runs(t, a)
	s.url = "http://" + a.Addr()
	s.serves()
	return s
}

// serves waits until the API has found its Redis.
func (s *system) serves() {
	s.t.Helper()
	deadline := time.After(patience)
	for s.send(http.MethodGet, "/stats", "", "") == http.StatusServiceUnavailable {
		select {
		case <-time.After(step):
		case <-deadline:
			s.t.Fatal("the API does not serve")
		}
	}
}

// quiet has the programs log nothing.
func quiet() app.Options { return app.Options{Log: slog.New(slog.DiscardHandler)} }

// worker starts a worker and returns what stops it.
func (s *system) worker() (stop func()) {
	s.t.Helper()
	cfg, err := config.LoadWorker(s.env)
	if err != nil {
		s.t.Fatal(err)
	}
	w, err := app.NewWorker(cfg, quiet())
	if err != nil {
		s.t.Fatal(err)
	}
	return runs(s.t, w)
}

// runs runs a program until it is stopped, or the test ends.
func runs(t *testing.T, p interface {
	Run(ctx context.Context) error
},
) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var stopped atomic.Bool
	stop = func() {
		if cancel(); stopped.CompareAndSwap(false, true) {
			if err := <-done; err != nil {
				t.Errorf("a program ended with %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

// submit sends an order with this id over HTTP, with more members if there are any.
func (s *system) submit(id string, members ...string) {
	s.t.Helper()
	body := `{"id":"` + id + `","amount":12.50,"items":["tea"],"customer":"Ada","address":"1 Example Road"` + strings.Join(members, "") + `}`
	if code := s.send(http.MethodPost, "/orders", "application/json", body); code != http.StatusCreated {
		s.t.Fatalf("POST /orders answered %d", code)
	}
}

// send sends a request and returns the status of its answer.
func (s *system) send(method, path, media, body string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// shop answers every order with its code, after its pause.
type shop struct {
	url   string
	code  atomic.Int64
	pause atomic.Int64 // a time.Duration
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	s.code.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(time.Duration(s.pause.Load())):
		case <-r.Context().Done():
		}
		w.WriteHeader(int(s.code.Load()))
		_, _ = io.WriteString(w, `<b onmouseover="alert(1)">thank you</b>`)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/fulfil"
	return s
}
