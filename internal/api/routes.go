package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// routes names every route of the API, and what each request passes first.
func (s *Server) routes(asynqRedis any) {
	s.app.Use(s.identify, s.logAccess, s.recoverPanic, s.bound)

	s.app.Post("/orders", s.ready, s.submit)
	s.app.Get("/orders/:id", s.ready, s.getOrder)
	s.app.Get("/stats", s.ready, s.getStats)
	s.app.Get("/health", s.getHealth)

	monitoring := monitoring(asynqRedis, s.cfg.MonitoringWritable)
	s.app.All(monitoringPath, monitoring)
	s.app.All(monitoringPath+"/*", monitoring)
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
