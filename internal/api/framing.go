package api

import (
	"bytes"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// refuseOddRequests answers, before Fiber sees them, requests that servers in
// front of this one may have understood otherwise, and methods that HTTP does not
// know, to which Fiber would answer plain text.
func (s *Server) refuseOddRequests() {
	server := s.app.Server()
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		raw := ctx.Request.Header.RawHeaders()
		if ctx.Request.Header.ContentLength() == chunked {
			// fasthttp takes a bare line feed for the end of the trailer, so that a
			// request could hide in it.
			ctx.SetConnectionClose()
		}
		switch {
		case looseLines(raw), twoLengths(raw):
			ctx.SetConnectionClose() // whatever follows may be part of this one
			s.refuseEarly(ctx, errFraming)
		case !slices.Contains(fiber.DefaultMethods, string(ctx.Method())):
			s.refuseEarly(ctx, fiber.ErrMethodNotAllowed)
		default:
			handle(ctx)
		}
	}
}

// chunked is what fasthttp gives as the length of a chunked body.
const chunked = -1

// errFraming is a header that other servers may read otherwise.
var errFraming = fiber.NewError(fiber.StatusBadRequest)

func (s *Server) refuseEarly(ctx *fasthttp.RequestCtx, err error) {
	c := s.app.AcquireCtx(ctx)
	defer s.app.ReleaseCtx(c)
	if err == fiber.ErrMethodNotAllowed { //nolint:errorlint // not wrapped here
		c.Set(fiber.HeaderAllow, "GET, HEAD, POST")
	}
	_ = s.refuse(c, err) // writes to memory
}

// looseLines says whether a line of the header ends with a bare line feed or goes
// on in the next one: other servers see one header there where fasthttp sees
// several, or the end of them all.
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

// twoLengths says whether the header has both a length and chunks.
func twoLengths(raw []byte) bool {
	var length, encoding bool
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		length = length || bytes.EqualFold(name, []byte(fiber.HeaderContentLength))
		encoding = encoding || bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding))
	}
	return length && encoding
}
