package parts_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

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

func startAPI(b *testing.B, redis *redistest.Server) (addr string) {
	b.Helper()
	cfg, err := config.LoadAPI(environ(redis))
	if err != nil {
		b.Fatal(err)
	}
	a, err := apiapp.New(cfg, quiet())
	if err != nil {
		b.Fatal(err)
	}
	start(b, a.Run)
	await(b, func() bool {
		resp, err := http.Get("http://" + a.Addr() + "/stats")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return a.Addr()
}

func startWorker(b *testing.B, redis *redistest.Server) {
	b.Helper()
	cfg, err := config.LoadWorker(environ(redis))
	if err != nil {
		b.Fatal(err)
	}
	w, err := workerapp.New(cfg, quiet())
	if err != nil {
		b.Fatal(err)
	}
	start(b, w.Run)
	inspector := queue.NewInspector(redis.Client(), 1)
	await(b, func() bool {
		workers, err := inspector.Workers(b.Context())
		return err == nil && workers.Slots > 0
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
