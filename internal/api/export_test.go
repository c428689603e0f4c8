package api

import (
	"errors"
	"time"

	"orderprocessor/internal/order"
)

// The limits that the tests speak of.
const (
	MaxBodyBytes   = maxBodyBytes
	MaxHeaderBytes = maxHeaderBytes
	MaxProblems    = maxProblems
	ReadTimeout    = readTimeout
	LingerTimeout  = lingerTimeout
)

// DecodeOrder is decodeOrder, for the fuzz test.
func DecodeOrder(body []byte) (order.Order, error) { return decodeOrder(body, time.Now()) }

// Malformed says whether the error is of a body that is no JSON object.
func Malformed(err error) bool {
	var malformed *malformedError
	return errors.As(err, &malformed)
}

// Bounds are what keeps a client from holding on to the server for ever.
type Bounds struct {
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	BodyBytes, HeaderBytes, Connections    int
}

// Bounds tells the bounds that the HTTP server really works with.
func (s *Server) Bounds() Bounds {
	h := s.app.Server()
	return Bounds{
		ReadTimeout: h.ReadTimeout, WriteTimeout: h.WriteTimeout, IdleTimeout: h.IdleTimeout,
		BodyBytes: h.MaxRequestBodySize, HeaderBytes: h.ReadBufferSize, Connections: h.Concurrency,
	}
}
