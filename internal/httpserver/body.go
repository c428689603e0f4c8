package httpserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// ErrCutOff is a body that ended too early.
var ErrCutOff = errors.New("the body was cut off")

// ReadBody returns the body, which may have at most limit bytes. The caller may keep the
// result. Bodies are streamed: until a handler reads one, it is still with the client.
// ReadBody returns ErrCutOff together with what had arrived.
func ReadBody(c *fiber.Ctx, limit int) ([]byte, error) {
	stream, length := c.Context().RequestBodyStream(), c.Request().Header.ContentLength()
	if length > limit {
		return nil, TooLarge(limit)
	}
	if stream == nil {
		return nil, nil
	}
	var body bytes.Buffer
	// The announced length is not trusted with more memory than that.
	body.Grow(min(max(length, 0), firstBodyBytes) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(stream, int64(limit)+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, fiber.ErrRequestTimeout
	case err != nil, length >= 0 && body.Len() < length, length < 0 && ended(c):
		return body.Bytes(), ErrCutOff
	case body.Len() > limit:
		return nil, TooLarge(limit)
	default:
		return body.Bytes(), nil
	}
}

// ended reports whether the server has read the end of the connection. After a chunked
// body that means that the last chunk is missing, which fasthttp reads as the end of
// the body.
func ended(c *fiber.Ctx) bool {
	conn, ok := c.Context().Conn().(*lingerConn)
	return ok && conn.ended.Load()
}

// TooLarge returns the error of a body with more than limit bytes.
func TooLarge(limit int) error {
	return fiber.NewError(fiber.StatusRequestEntityTooLarge, fmt.Sprintf("The body must have at most %d bytes.", limit))
}

// BoundBody is a handler that reads the body for a later handler that would read it
// without a limit.
func BoundBody(c *fiber.Ctx) error {
	body, err := ReadBody(c, MaxBodyBytes)
	if err != nil {
		return err
	}
	c.Request().SetBodyRaw(body)
	return c.Next()
}

// allowLargeBodies lets the bodies of one route arrive more slowly than others. A client
// that sends "Expect: 100-continue" learns before it sends that a body is too large.
func (s *Server) allowLargeBodies() {
	large, server := s.cfg.Large, s.app.Server()
	server.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if pathOf(string(h.RequestURI())) != large.Path {
			return fasthttp.RequestConfig{}
		}
		// fasthttp reads up to 8 KiB of a body in advance, at most what a body may have,
		// and answers a body that is cut off there itself. With 1 the handler answers.
		return fasthttp.RequestConfig{ReadTimeout: large.ReadTimeout, MaxRequestBodySize: 1}
	}
	server.ExpectHandler = func(ctx *fasthttp.RequestCtx) int {
		limit := MaxBodyBytes
		if string(ctx.Path()) == large.Path {
			limit = large.MaxBytes
		}
		if ctx.Request.Header.ContentLength() <= limit {
			return fiber.StatusContinue
		}
		s.refuseEarly(ctx, TooLarge(limit))
		return fiber.StatusRequestEntityTooLarge
	}
}

// pathOf returns the path of a request's target, which may be an absolute URL.
func pathOf(target string) string {
	if _, rest, absolute := strings.Cut(target, "://"); absolute && target[0] != '/' {
		_, path, _ := strings.Cut(rest, "/")
		target = "/" + path
	}
	if end := strings.IndexAny(target, "?#"); end >= 0 {
		target = target[:end]
	}
	return target
}
