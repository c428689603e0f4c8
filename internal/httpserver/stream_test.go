package httpserver

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/programtest"
)

// streams adds GET /stream, which writes until the client no longer receives, and returns
// a channel of the ends of its streams.
func streams(s *Server) (ends chan string) {
	ends = make(chan string, 1)
	s.App().Get("/stream", func(c *fiber.Ctx) error {
		host := strings.Clone(c.Hostname())
		s.Stream(c, func(ctx context.Context, w *StreamWriter) {
			defer func() { ends <- host }()
			for ctx.Err() == nil {
				_, _ = w.WriteString(strings.Repeat("x", 1000))
				if !w.Flush() {
					return
				}
			}
		})
		return nil
	})
	return ends
}

// TestStreamEnds disconnects clients that do not read, and keeps those that do, for longer
// than a request may take to arrive, until the server stops.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	var ends chan string
	s := serve(t, func(s *Server) {
		s.App().Server().ReadTimeout, s.App().Server().WriteTimeout = hurry, hurry
		ends = streams(s)
	})
	begun := time.Now()
	reading := s.dial(t, "GET /stream HTTP/1.1\r\nHost: reads\r\n\r\n")
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, reading)
	}()
	s.dial(t, "GET /stream HTTP/1.1\r\nHost: deaf\r\n\r\n")
	if end := <-ends; end != "deaf" {
		t.Fatalf("the first stream that ends is that of the client that %s", end)
	}
	programtest.Until(t, "the client that reads has been connected for some time", func() bool { return time.Since(begun) > hurry+time.Second })
	select {
	case <-ends:
		t.Error("the client that reads is disconnected")
	default:
	}
	s.stop()
	if end := <-ends; end != "reads" {
		t.Errorf("the second stream that ends is that of the client that is %s", end)
	}
	<-read
	<-s.done
}

// TestStreamOfAClientThatIsGone ends a stream whose client has disconnected, without a write
// to it.
func TestStreamOfAClientThatIsGone(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	s := serve(t, func(s *Server) {
		s.App().Get("/silent", func(c *fiber.Ctx) error {
			s.Stream(c, func(ctx context.Context, w *StreamWriter) {
				defer close(ended)
				_, _ = w.WriteString("x")
				w.Flush()
				<-ctx.Done()
			})
			return nil
		})
	})
	c := s.dial(t, "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	<-ended
}
