package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// batchPath takes larger and slower bodies than any other.
const batchPath = "/orders/batch"

// routes names every route of the API, and what each request passes first. The
// time that a request may take of Redis begins when its body is there.
func (s *Server) routes() {
	s.app.Use(s.identify, s.logAccess, s.recoverPanic, trace)

	s.app.Post("/orders", s.ready, noQuery, needJSON, bound, s.submit)
	s.app.Get("/orders", s.ready, bound, s.listOrders)
	s.app.Post(batchPath, s.ready, noQuery, s.submitBatch)
	s.app.Post("/orders/retry", s.ready, noQuery, needJSON, bound, s.retryOrders)
	s.app.Get("/orders/:id", s.ready, noQuery, bound, s.getOrder)
	s.app.Get("/orders/:id/events", s.ready, noQuery, bound, s.listEvents)
	s.app.Post("/orders/:id/cancel", s.ready, noQuery, allowJSON, bound, s.cancelOrder)
	s.app.Post("/orders/:id/retry", s.ready, noQuery, bound, s.retryOrder)

	s.app.Get("/queues", s.ready, noQuery, bound, s.listQueues)
	s.app.Post("/queues/:name/pause", s.ready, noQuery, bound, s.pauseQueue)
	s.app.Post("/queues/:name/resume", s.ready, noQuery, bound, s.resumeQueue)

	s.app.Get("/stats", s.ready, bound, s.getStats)
	s.app.Get("/health", bound, s.getHealth)
}

// pages adds what people look at: Asynqmon, and the specification.
func (s *Server) pages() error {
	monitoring := monitoring(s.Redis, s.cfg.MonitoringWritable)
	s.app.All(monitoringPath, wholeBody, monitoring)
	s.app.All(monitoringPath+"/*", wholeBody, monitoring)
	return s.serveSpecification()
}

// treatBatchesApart lets a batch arrive more slowly than other bodies. A client
// that asks before it sends hears of a body that would be too large.
func (s *Server) treatBatchesApart() {
	server := s.app.Server()
	server.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if string(h.RequestURI()) != batchPath {
			return fasthttp.RequestConfig{}
		}
		// fasthttp reads up to 8 KiB of a body ahead, but no more than a body may
		// have, and answers itself when that is cut off. Of a batch it shall leave
		// that to the handler.
		return fasthttp.RequestConfig{ReadTimeout: batchReadTimeout, MaxRequestBodySize: 1}
	}
	server.ExpectHandler = func(ctx *fasthttp.RequestCtx) int {
		limit := maxBodyBytes
		if string(ctx.Path()) == batchPath {
			limit = maxBatchBytes
		}
		if ctx.Request.Header.ContentLength() <= limit {
			return fiber.StatusContinue
		}
		c := s.app.AcquireCtx(ctx)
		defer s.app.ReleaseCtx(c)
		_ = s.refuse(c, tooManyBytes(limit)) // writes to memory
		return fiber.StatusRequestEntityTooLarge
	}
}

// refuseUnknownMethods answers methods that HTTP does not know as it answers
// those that a path does not take; Fiber would send plain text.
func (s *Server) refuseUnknownMethods() {
	server := s.app.Server()
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			handle(ctx)
			return
		}
		c := s.app.AcquireCtx(ctx)
		defer s.app.ReleaseCtx(c)
		c.Set(fiber.HeaderAllow, "GET, HEAD, POST")
		_ = s.refuse(c, fiber.ErrMethodNotAllowed) // writes to memory
	}
}
