package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// StreamWriter writes the body of a streamed answer. It is for one goroutine.
type StreamWriter struct {
	*bufio.Writer
	conn    net.Conn
	timeout time.Duration
}

// Flush sends what has been written. It reports whether the client has received it within
// the write timeout; if not, the stream is over.
func (w *StreamWriter) Flush() bool {
	return w.conn.SetWriteDeadline(time.Now().Add(w.timeout)) == nil && w.Writer.Flush() == nil
}

// Cut ends the connection at once, without the end of the answer, so that the client knows
// that it is not whole. Nothing can be written afterwards.
func (w *StreamWriter) Cut() {
	// To a client of HTTP/1.0 an answer ends with the connection, unless that is reset.
	if tcp, ok := w.conn.(*lingerConn); ok {
		tcp.reset()
		return
	}
	_ = w.conn.Close()
}

// Stream answers the request with the body that write produces. write runs after the
// handler has returned, in a goroutine of the connection, and ends the answer by
// returning. Its context ends when the client disconnects or the server stops. The
// connection closes afterwards.
func (s *Server) Stream(c *fiber.Ctx, write func(ctx context.Context, w *StreamWriter)) {
	conn := c.Context().Conn()
	boundUnsent(conn)
	c.Context().SetConnectionClose() // no request can follow
	run := func(w *bufio.Writer) { s.runStream(conn, w, write) }
	c.Context().SetConnectionClose() // no request can follow
	if c.Request().Header.IsHTTP11() {
		c.Context().SetBodyStreamWriter(run)
		return
	}
	// HTTP/1.0 has no chunks: the answer ends with the connection. fasthttp cannot write
	// such an answer.
	header := unframedHeader(&c.Response().Header)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(net.Conn) {
		w := bufio.NewWriter(conn)
		_, _ = w.Write(header)
		run(w)
	})
}

func (s *Server) runStream(conn net.Conn, w *bufio.Writer, write func(context.Context, *StreamWriter)) {
	var err error
	defer func() {
		if err != nil {
			s.cfg.Log.Error("a stream could not be written", "error", err)
		}
	}()
	defer Recover(&err)
	ctx, stop := s.connected(conn)
	defer stop()
	write(ctx, &StreamWriter{w, conn, s.app.Server().WriteTimeout})
}

// connected returns a context that ends when the client disconnects or the server stops.
// The client of a stream sends nothing, so a read notices its end at once; a write would
// notice it two heartbeats later. A client that keeps sending is disconnected. The read
// ends with the connection, which closes after the answer.
func (s *Server) connected(conn net.Conn) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(s.serving)
	_ = conn.SetReadDeadline(time.Time{}) // replaces the deadline of the request
	go func() {
		defer cancel()
		_, _ = io.CopyN(io.Discard, conn, maxStreamInput)
	}()
	return ctx, cancel
}

// boundUnsent bounds what the kernel buffers for the client of a stream, and for how long.
func boundUnsent(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(streamBuffer) // a smaller bound, or the system's own
	}
	endUnacknowledged(conn, unacknowledgedTimeout)
}

// unframedHeader returns the header of a 200 answer without any length.
func unframedHeader(h *fasthttp.ResponseHeader) []byte {
	text := []byte("HTTP/1.1 200 OK\r\nConnection: close\r\n")
	for name, value := range h.All() {
		switch string(name) {
		case fiber.HeaderConnection, fiber.HeaderContentLength, fiber.HeaderTransferEncoding:
		default:
			text = fmt.Appendf(text, "%s: %s\r\n", name, value)
		}
	}
	return append(text, "\r\n"...)
}
