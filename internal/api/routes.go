package api

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
