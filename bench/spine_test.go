// Package bench_test measures the spine in one process on one machine: what it
// costs to take an order in, and how many orders a second go all the way. The
// figures are for comparing within one run; `make bench` runs them.
package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// clients is how many callers send at once.
const clients = 32

// BenchmarkAccept measures the books alone: one accept script per order.
func BenchmarkAccept(b *testing.B) {
	l := ledger.New(redistest.Start(b).Client())
	parallel(b, func(n int64) error {
		_, _, err := ledgertest.Accept(b.Context(), l, sample(b, n), order.QueueDefault)
		return err
	})
}

// BenchmarkAcceptAndEnqueue adds the hand-over: what intake does per order.
func BenchmarkAcceptAndEnqueue(b *testing.B) {
	rdb := redistest.Start(b).Client()
	l := ledger.New(rdb)
	q := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: 30 * time.Second})
	parallel(b, func(n int64) error {
		rec, _, err := ledgertest.Accept(b.Context(), l, sample(b, n), order.QueueDefault)
		if err == nil {
			_, err = q.Enqueue(b.Context(), rec)
		}
		return err
	})
}

// BenchmarkSubmit measures POST /orders without a worker.
func BenchmarkSubmit(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	url := startAPI(b, redis)
	parallel(b, func(n int64) error { return post(b, url, n) })
}

// BenchmarkSubmitToSettled measures the whole way: orders are sent over HTTP,
// and the clock stops when all of them have their outcome.
func BenchmarkSubmitToSettled(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	url := startAPI(b, redis)
	startWorker(b, redis)
	rdb := redis.Client()
	l := ledger.New(rdb)
	b.ResetTimer()
	send(b, func(n int64) error { return post(b, url, n) })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		t, err := l.Totals(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if t.Processed() == int64(b.N) {
			break
		}
	}
	report(b)
	ledgertest.CheckBooks(b, rdb)
}

func parallel(b *testing.B, do func(n int64) error) {
	b.Helper()
	b.ResetTimer()
	send(b, do)
	report(b)
}

// send runs b.N operations from several goroutines.
func send(b *testing.B, do func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var callers sync.WaitGroup
	for range clients {
		callers.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := do(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func report(b *testing.B) {
	b.Helper()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

func sample(b *testing.B, n int64) order.Order {
	b.Helper()
	return ordertest.Order(b, ordertest.WithID(fmt.Sprintf("order-%d", n)))
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}

// submission is the n-th of the orders that are sent over HTTP.
func submission(n int64) []byte {
	return fmt.Appendf(nil, `{"id":"order-%d","amount":%d.25,"items":["tea","cups"],"customer":"customer-%d@example.com",`+
		`"address":"12 Main Street, London","priority":%d}`, n, 1+n%2000, n%1000, 1+n%3)
}

func post(b *testing.B, url string, n int64) error {
	b.Helper()
	return postBody(b, url, submission(n))
}

func postScheduled(b *testing.B, url, id string, at time.Time) error {
	b.Helper()
	return postBody(b, url, fmt.Appendf(nil, `{"id":%q,"amount":5,"items":["tea"],"customer":"ada","address":"1 Road","process_at":%q}`,
		id, at.Format(time.RFC3339Nano)))
}

func postBody(b *testing.B, url string, body []byte) error {
	b.Helper()
	resp, err := client.Post(url+"/orders", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST /orders answered %s", resp.Status)
	}
	return nil
}

func environ(redis *redistest.Server) []string {
	return []string{
		"REDIS_URL=" + redis.URL(), "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_MAX_QUEUE_LENGTH=10000000",
	}
}

// quiet formats every line, as a program does, and drops it.
func quiet() app.Options {
	return app.Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil))}
}

func startAPI(b *testing.B, redis *redistest.Server) (url string) {
	b.Helper()
	cfg, err := config.LoadAPI(environ(redis))
	if err != nil {
		b.Fatal(err)
	}
	a, err := app.NewAPI(cfg, quiet())
	if err != nil {
		b.Fatal(err)
	}
	start(b, a.Run)
	url = "http://" + a.Addr()
	await(b, func() bool {
		resp, err := client.Get(url + "/stats")
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return url
}

func startWorker(b *testing.B, redis *redistest.Server) {
	b.Helper()
	cfg, err := config.LoadWorker(environ(redis))
	if err != nil {
		b.Fatal(err)
	}
	w, err := app.NewWorker(cfg, quiet())
	if err != nil {
		b.Fatal(err)
	}
	start(b, w.Run)
	inspector := queue.NewInspector(redis.Client())
	await(b, func() bool {
		slots, err := inspector.Slots(b.Context())
		return err == nil && slots > 0
	})
}

// start runs a program until the benchmark ends.
func start(b *testing.B, run func(context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

func await(b *testing.B, ok func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.Fatal("gave up waiting")
		}
	}
}
