package httpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/requestid"
)

func TestMain(m *testing.M) {
	// fasthttp keeps the time for the Date header in a goroutine that never ends, and the
	// cleaner of its idle workers sees only after ten seconds that its server has stopped.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const (
	// hurry replaces the timeouts for slow clients in tests that wait for them.
	hurry = 2 * time.Second
	// largeBytes bounds the large bodies of the tests.
	largeBytes = 2 * MaxBodyBytes
)

// site is a server on a free port of this machine. It answers GET / with the id of the
// request, and POST /small and POST /large with the body.
type site struct {
	*Server
	addr string
	log  *programtest.Log
	stop context.CancelFunc
	done chan struct{} // closed when Serve has returned
}

// serve starts a server, after a change. It stops with the test.
func serve(t *testing.T, change ...func(*Server)) *site {
	t.Helper()
	return serveWithGrace(t, programtest.Patience, change...)
}

// serveWithGrace starts a server that gives running requests a grace period when it stops.
func serveWithGrace(t *testing.T, grace time.Duration, change ...func(*Server)) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{addr: l.Addr().String(), log: &programtest.Log{}, done: make(chan struct{})}
	s.Server = newServer(slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, c := range change {
		c(s.Server)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go func() {
		defer close(s.done)
		if err := s.Serve(ctx, l, grace); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	}()
	t.Cleanup(func() {
		s.stop()
		<-s.done
	})
	return s
}

func newServer(log *slog.Logger) *Server {
	s := New(Config{
		Answer: answer, Log: log, Large: LargeBodies{Path: "/large", MaxBytes: largeBytes, ReadTimeout: programtest.Patience},
	})
	echo := func(limit int) fiber.Handler {
		return func(c *fiber.Ctx) error {
			body, err := ReadBody(c, limit)
			if err != nil {
				return err
			}
			return c.Send(body)
		}
	}
	s.App().Post("/small", echo(MaxBodyBytes))
	s.App().Post("/large", echo(largeBytes))
	s.App().Get("/", func(c *fiber.Ctx) error { return c.SendString(requestid.Of(c.UserContext())) })
	return s
}

// answer answers with the status of an error alone.
func answer(c *fiber.Ctx, err error) string {
	code := fiber.StatusInternalServerError
	var known *fiber.Error
	switch {
	case errors.As(err, &known):
		code = known.Code
	case errors.Is(err, ErrCutOff):
		code = fiber.StatusBadRequest
	case errors.Is(err, ErrForeignHost):
		code = fiber.StatusMisdirectedRequest
	}
	c.Status(code)
	return http.StatusText(code)
}

// dial opens a connection to the site.
func (s *site) dial(t *testing.T, request string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, request)
	if err := errors.Join(err, c.SetDeadline(time.Now().Add(programtest.Patience))); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// sendRaw sends a request as it is, and returns the statuses of all answers.
func (s *site) sendRaw(t *testing.T, request string) []int {
	t.Helper()
	c := s.dial(t, request)
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return statuses(t, c)
}

func statuses(t *testing.T, c net.Conn) (all []int) {
	t.Helper()
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatalf("after %v: %v", all, err)
		}
		if resp.StatusCode != http.StatusContinue && resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("answer %d has the headers %v", resp.StatusCode, resp.Header)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		all = append(all, resp.StatusCode)
	}
}

// TestBounds checks every bound of the HTTP server. By default it has no time limits.
func TestBounds(t *testing.T) {
	t.Parallel()
	h := newServer(slog.New(slog.DiscardHandler)).App().Server()
	if h.ReadTimeout != 10*time.Second || h.WriteTimeout != 10*time.Second || h.IdleTimeout != 75*time.Second {
		t.Errorf("the timeouts are %v, %v and %v", h.ReadTimeout, h.WriteTimeout, h.IdleTimeout)
	}
	if h.MaxRequestBodySize != 256<<10 || h.ReadBufferSize != 16<<10 || h.Concurrency != 16_384 {
		t.Errorf("the bounds are %d and %d bytes, %d connections", h.MaxRequestBodySize, h.ReadBufferSize, h.Concurrency)
	}
}

// TestServeFinishesRequests lets a running request end before Serve returns, and does not
// wait for connections that are only kept alive.
func TestServeFinishesRequests(t *testing.T) {
	t.Parallel()
	for grace, finished := range map[time.Duration]bool{programtest.Patience: true, 50 * time.Millisecond: false} {
		t.Run(grace.String(), func(t *testing.T) {
			t.Parallel()
			begun, finish := make(chan struct{}), make(chan struct{})
			s := serveWithGrace(t, grace, func(s *Server) {
				s.App().Get("/wait", func(*fiber.Ctx) error { close(begun); <-finish; return nil })
			})
			idle := s.dial(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if _, err := idle.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			running := s.dial(t, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
			<-begun
			s.stop()
			programtest.Until(t, "new connections are refused", func() bool {
				c, err := net.Dial("tcp", s.addr)
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			})
			if finished {
				close(finish)
				if all := statuses(t, running); len(all) != 1 || all[0] != 200 {
					t.Errorf("the running request is answered %v", all)
				}
			}
			<-s.done
			if strings.Contains(s.log.String(), "requests were still running") == finished {
				t.Error("the log reports another end")
			}
			if !finished {
				close(finish)
			}
		})
	}
}

// TestServeStoppedAtOnce returns when its context has ended before it began.
func TestServeStoppedAtOnce(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := newServer(slog.New(slog.DiscardHandler)).Serve(ctx, l, time.Second); err != nil {
			t.Fatalf("Serve returned %v", err)
		}
		// Dialling is no proof: another process may have the port by now.
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the listener is still open: %v", err)
		}
	}
}
