package browser_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/test/kit"
)

// system is a Redis with the programs around it, and the shop.
type system struct {
	*kit.API // a client of the API that was started last
	t        *testing.T
	redis    *redistest.Server
	shop     *shop
	env      []string
	stop     func() // ends that API
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
		"REDIS_URL=" + s.redis.URL(), "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_FULFILMENT_URL=" + s.shop.url, "ORDERS_WORKER_CONCURRENCY=8", "ORDERS_SHUTDOWN_TIMEOUT=2m",
		"ORDERS_ATTEMPT_TIMEOUT=2m", "ORDERS_FULFILMENT_TIMEOUT=1m",
	}, env...)
	s.api("127.0.0.1:0")
	return s
}

// api starts an API at this address.
func (s *system) api(address string) {
	s.t.Helper()
	cfg, err := config.LoadAPI(append(slices.Clip(s.env), "ORDERS_HTTP_ADDR="+address))
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := apiapp.New(cfg, quiet())
	if err != nil {
		s.t.Fatal(err)
	}
	s.stop = runs(s.t, a)
	s.API = kit.NewAPI(s.t, "http://"+a.Addr(), nil)
	s.HTTP.Transport = &http.Transport{DisableKeepAlives: true} // the API may stop
	s.AwaitServing()
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
	w, err := workerapp.New(cfg, quiet())
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

// submit sends an order with this id, with more members if there are any.
func (s *system) submit(id string, members ...string) {
	s.t.Helper()
	s.post("/orders", `{"id":"`+id+`","amount":12.50,"items":["tea"],"customer":"Ada","address":"1 Example Road"`+strings.Join(members, "")+`}`)
}

// post sends a request that must succeed. It may be called by any goroutine. While the API
// waits for Redis in vain, as on a busy machine, it is asked again, as clients do.
func (s *system) post(path, body string, headers ...string) {
	s.t.Helper()
	var got kit.Answer
	var err error
	programtest.Poll(patience, func() bool {
		got, err = s.Ask(http.MethodPost, path, body, headers...)
		return err != nil || got.Code != http.StatusServiceUnavailable && !bytes.Contains(got.Body, unavailable)
	})
	if err != nil || got.Code/100 != 2 {
		s.t.Errorf("POST %s answered %d %.200s, %v", path, got.Code, got.Body, err)
	}
}

// unavailable is in the answer to a batch of which orders were not recorded for that.
var unavailable = []byte(`"status":503`)

// newest returns the ids of the newest orders, as the API lists them.
func (s *system) newest() []string {
	s.t.Helper()
	var page struct{ Orders []client.Order }
	if err := s.Get("/orders?limit=50", &page); err != nil {
		s.t.Fatal(err)
	}
	ids := make([]string, len(page.Orders))
	for i, o := range page.Orders {
		ids[i] = o.ID
	}
	return ids
}

// shop answers orders with its codes in turn, after its pause.
type shop struct {
	url   string
	codes atomic.Pointer[[]int]
	asked atomic.Int64
	pause atomic.Int64 // a time.Duration
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	s.answers(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(time.Duration(s.pause.Load())):
		case <-r.Context().Done():
		}
		codes := *s.codes.Load()
		w.WriteHeader(codes[int(s.asked.Add(1))%len(codes)])
		_, _ = io.WriteString(w, `<b onmouseover="alert(1)">thank you</b>`)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/fulfil"
	return s
}

// answers has the shop answer with these codes in turn from now on.
func (s *shop) answers(codes ...int) { s.codes.Store(&codes) }
