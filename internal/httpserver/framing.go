package httpserver

import (
	"bytes"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// chunked is the content length that fasthttp reports for a chunked body.
const chunked = -1

// errFraming is a request whose header other servers may read differently.
var errFraming = fiber.NewError(fiber.StatusBadRequest)

// refuseOddRequests answers two kinds of requests before Fiber sees them: those that a
// proxy in front may have understood differently, and those with a method that HTTP
// does not know, to which Fiber would answer plain text.
func (s *Server) refuseOddRequests() {
	server := s.app.Server()
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		raw := ctx.Request.Header.RawHeaders()
		if ctx.Request.Header.ContentLength() == chunked {
			// fasthttp accepts a bare line feed as the end of the trailer, so a further
			// request could be hidden there.
			ctx.SetConnectionClose()
		}
		switch {
		case looseLines(raw), twoLengths(raw):
			ctx.SetConnectionClose() // what follows may belong to this request
			s.refuseEarly(ctx, errFraming)
		case !slices.Contains(fiber.DefaultMethods, string(ctx.Method())):
			s.refuseEarly(ctx, fiber.ErrMethodNotAllowed)
		default:
			handle(ctx)
		}
	}
}

func (s *Server) refuseEarly(ctx *fasthttp.RequestCtx, err error) {
	c := s.app.AcquireCtx(ctx)
	defer s.app.ReleaseCtx(c)
	if err == fiber.ErrMethodNotAllowed { //nolint:errorlint // not wrapped here
		c.Set(fiber.HeaderAllow, "GET, HEAD, POST")
	}
	_ = s.refuse(c, err) // writes to memory
}

// looseLines reports whether a line of the header ends with a bare line feed or is
// continued in the next one. fasthttp and other servers disagree on where such a header
// ends.
func looseLines(raw []byte) bool {
	for i, c := range raw {
		if c != '\n' {
			continue
		}
		folded := i+1 < len(raw) && (raw[i+1] == ' ' || raw[i+1] == '\t')
		if i == 0 || raw[i-1] != '\r' || folded {
			return true
		}
	}
	return false
}

// twoLengths reports whether the header declares both a length and chunks.
func twoLengths(raw []byte) bool {
	var length, encoding bool
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		length = length || bytes.EqualFold(name, []byte(fiber.HeaderContentLength))
		encoding = encoding || bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding))
	}
	return length && encoding
}
