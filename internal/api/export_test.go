package api

import (
	"errors"
	"regexp"
	"time"

	"orderprocessor/internal/order"
)

// The limits that the tests speak of.
const (
	MaxBodyBytes   = maxBodyBytes
	MaxBatchBytes  = maxBatchBytes
	MaxBatchOrders = maxBatchOrders
	MaxBatches     = maxBatches
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

// Routes lists the method and the path of each route, spelt as in the
// specification.
func (s *Server) Routes() []string {
	parameter := regexp.MustCompile(`:(\w+)`)
	var all []string
	for _, r := range s.app.GetRoutes(true) {
		all = append(all, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	return all
}
