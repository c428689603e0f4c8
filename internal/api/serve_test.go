package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
)

// TestServeFinishesRequests lets a running request end before Serve returns,
// and is not held up by connections that are only kept alive.
func TestServeFinishesRequests(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	s := serve(t, taking(takes(func(_ context.Context, o order.Order) (order.Record, bool, error) {
		close(begun)
		<-finish
		return order.Record{Order: o, Status: order.StatusPending, Queue: order.QueueDefault}, true, nil
	})))
	idle := s.dial(t)
	if _, err := io.WriteString(idle, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(idle), nil)
	if err != nil || resp.StatusCode != 404 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	answered := make(chan answer, 1)
	go func() { answered <- s.ask(t, "POST", "/orders", body()) }()
	<-begun
	s.stop()
	eventually(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case <-s.done:
		t.Error("Serve returned before the request had ended")
	default:
	}
	close(finish)
	a := <-answered
	a.object(t, 201)
	start := time.Now()
	<-s.done
	// A connection that held it up would do so for all the grace that it has.
	if took := time.Since(start); took > patience/2 {
		t.Errorf("Serve returned %v after the last request", took)
	}
}

// TestServeGrace returns when the grace period is over although a request still
// runs.
func TestServeGrace(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	srv, l := bareServer(t, takes(func(context.Context, order.Order) (order.Record, bool, error) {
		close(begun)
		<-finish
		return order.Record{}, false, order.ErrUnavailable
	}))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l, 50*time.Millisecond) }()
	client := newClient(t)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		s := &site{addr: l.Addr().String(), client: client}
		s.ask(t, "POST", "/orders", body())
	}()
	<-begun
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Serve returned %v", err)
		}
	case <-time.After(patience):
		t.Error("Serve still waits")
	}
	close(finish)
	<-answered
}

// TestServeStoppedAtOnce returns when its context has ended before it began.
func TestServeStoppedAtOnce(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for range 50 {
		srv, l := bareServer(t, nil)
		done := make(chan error, 1)
		go func() { done <- srv.Serve(ctx, l, time.Second) }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("Serve returned %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Serve still runs")
		}
		// Dialling would not tell: somebody else may have the port by now.
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the listener is still open: %v", err)
		}
	}
}

// bareServer is a server that does not serve yet.
func bareServer(t *testing.T, in api.Intake) (*api.Server, net.Listener) {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	cfg := api.Config{MaxQueueLength: 1, Ready: func() error { return nil }, Log: slog.New(slog.DiscardHandler)}
	srv, err := api.New(cfg, api.Parts{Intake: in, Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	return srv, l
}
