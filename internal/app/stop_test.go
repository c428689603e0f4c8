package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/redistest"
)

// TestStopWhileWaiting stops soon, and without an error, while Redis is away.
func TestStopWhileWaiting(t *testing.T) {
	t.Parallel()
	url := "unix://" + filepath.Join(t.TempDir(), "nobody")
	for name, p := range map[string]program{
		"API": newAPI(t, io.Discard, environ(url)), "worker": newWorker(t, io.Discard, environ(url)),
	} {
		r := start(t, p)
		eventually(t, "the program lives", func() bool { return readyz(t, p).code == 503 })
		r.stop()
		if err := r.wait(t); err != nil {
			t.Errorf("%s: Run returned %v", name, err)
		}
	}
}

// TestStopAtOnce returns when it is told to stop before it has begun.
func TestStopAtOnce(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for range 10 {
		for name, p := range map[string]program{
			"API": newAPI(t, io.Discard, environ(redis.URL())), "worker": newWorker(t, io.Discard, environ(redis.URL())),
		} {
			r := start(t, p)
			r.stop()
			if err := r.wait(t); err != nil {
				t.Errorf("%s: Run returned %v", name, err)
			}
		}
	}
}

// TestStopDuringTheCheck returns without an error when Redis hangs while its
// settings are being asked for.
func TestStopDuringTheCheck(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 64)
	api := newAPI(t, io.Discard, environ("redis://"+halfRedis(t, asked)+"/0"))
	r := start(t, api)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("Redis was not asked for its settings")
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// halfRedis answers PING, and tells when it is asked for INFO, which it never
// answers. It knows no other command.
func halfRedis(t *testing.T, asked chan<- struct{}) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerHalf(c, asked)
		}
	}()
	return l.Addr().String()
}

func answerHalf(c net.Conn, asked chan<- struct{}) {
	defer func() { _ = c.Close() }()
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch strings.ToLower(lines.Text()) {
		case "ping":
			_, _ = fmt.Fprint(c, "+PONG\r\n")
		case "hello", "setinfo":
			_, _ = fmt.Fprint(c, "-ERR unknown command\r\n")
		case "info":
			asked <- struct{}{}
		}
	}
}
