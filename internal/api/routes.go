package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// batchPath takes larger and slower bodies than any other.
const batchPath = "/orders/batch"

// routes names every route of the API, and what each request passes first.
func (s *Server) routes() {
	s.app.Use(s.identify, s.logAccess, s.recoverPanic, s.bound)

	s.app.Post("/orders", s.ready, noQuery, s.submit)
	s.app.Get("/orders", s.ready, s.listOrders)
	s.app.Post(batchPath, s.ready, noQuery, s.submitBatch)
	s.app.Post("/orders/retry", s.ready, noQuery, s.retryOrders)
	s.app.Get("/orders/:id", s.ready, noQuery, s.getOrder)
	s.app.Get("/orders/:id/events", s.ready, noQuery, s.listEvents)
	s.app.Post("/orders/:id/cancel", s.ready, noQuery, s.cancelOrder)
	s.app.Post("/orders/:id/retry", s.ready, noQuery, s.retryOrder)

	s.app.Get("/queues", s.ready, noQuery, s.listQueues)
	s.app.Post("/queues/:name/pause", s.ready, noQuery, s.pauseQueue)
	s.app.Post("/queues/:name/resume", s.ready, noQuery, s.resumeQueue)

	s.app.Get("/stats", s.ready, s.getStats)
	s.app.Get("/health", s.getHealth)
}

// pages adds what people look at: Asynqmon, and the specification.
func (s *Server) pages() error {
	monitoring := monitoring(s.Redis, s.cfg.MonitoringWritable)
	s.app.All(monitoringPath, monitoring)
	s.app.All(monitoringPath+"/*", monitoring)
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
		// fasthttp reads as much ahead as a body may have, and answers itself when
		// that is cut off; of a batch it shall leave that to the handler.
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
