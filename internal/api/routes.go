package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"orderprocessor/internal/access"
)

// batchPath takes larger and slower bodies than any other.
const batchPath = "/orders/batch"

// cost is what a request counts as towards its caller's limit.
type cost int

const (
	// free requests are not counted.
	free cost = iota
	// perRequest is one for the request.
	perRequest
	// perOrder is one for each order that a batch holds; its handler counts them.
	perOrder
)

// route is one path, and who may use it. A route of GET takes HEAD as well.
type route struct {
	method, path string
	scope        access.Scope // a route that names none is closed to every key
	cost         cost
	handlers     []fiber.Handler
}

// routes is every route of the API, and what each request passes first. The time
// that a request may take of Redis begins when its body is there.
func (s *Server) routes() ([]route, error) {
	spec, err := readSpecification()
	if err != nil {
		return nil, err
	}
	page, err := readPage()
	if err != nil {
		return nil, err
	}
	const get, post = fiber.MethodGet, fiber.MethodPost
	type steps = []fiber.Handler
	all := []route{
		{post, "/orders", access.Submit, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.submit}},
		{get, "/orders", access.Read, perRequest, steps{s.ready, s.bound, s.listOrders}},
		{post, batchPath, access.Submit, perOrder, steps{s.ready, noQuery, s.submitBatch}},
		{post, "/orders/retry", access.Admin, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.retryOrders}},
		{get, "/orders/:id", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.getOrder}},
		{get, "/orders/:id/events", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listEvents}},
		{post, "/orders/:id/cancel", access.Submit, perRequest, steps{s.ready, noQuery, allowJSON, s.bound, s.cancelOrder}},
		{post, "/orders/:id/retry", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.retryOrder}},

		{get, "/queues", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listQueues}},
		{get, "/queues/:name/damaged", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listDamaged}},
		{post, "/queues/:name/pause", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.pauseQueue}},
		{post, "/queues/:name/resume", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.resumeQueue}},

		{get, livePath, access.Read, perRequest, steps{s.ownSite, s.ready, s.bound, s.followEvents}},
		{get, "/stats", access.Read, perRequest, steps{s.ready, s.bound, s.getStats}},
		{get, "/health", access.Open, free, steps{s.bound, s.getHealth}},

		{get, specificationYAML, access.Read, perRequest, steps{spec.yaml}},
		{get, specificationJSON, access.Read, perRequest, steps{spec.json}},
		{get, documentation, access.Read, perRequest, steps{wholeBody, spec.pages}},
		{get, documentation + "/*", access.Read, perRequest, steps{wholeBody, spec.pages}},
		{get, livePage, access.Read, perRequest, steps{wholeBody, page}},
		{get, pageAssets + "*", access.Read, perRequest, steps{wholeBody, page}},
	}
	pages := steps{wholeBody, monitoring(s.Redis, s.cfg.MonitoringWritable)}
	for _, method := range monitoringMethods() {
		scope := access.Admin
		if method == get {
			scope = access.Read
		}
		all = append(all, route{method, monitoringPath, scope, perRequest, pages},
			route{method, monitoringPath + "/*", scope, perRequest, pages})
	}
	return all, nil
}

// register puts in front of each route what every request passes: first what
// names it, then what may refuse it before anything of it is read.
func (s *Server) register(routes []route) {
	s.app.Use(s.identify, s.trace, s.logAccess, s.recoverPanic, s.knownHost, s.sameSite)
	for _, r := range routes {
		steps := append(s.traced(r.path), s.needScope(r.scope))
		if r.cost == perRequest {
			steps = append(steps, s.limit)
		}
		steps = append(steps, r.handlers...)
		s.app.Add(r.method, r.path, steps...)
		if r.method == fiber.MethodGet {
			s.app.Add(fiber.MethodHead, r.path, steps...)
		}
	}
}

// treatBatchesApart lets a batch arrive more slowly than other bodies. A client
// that asks before it sends hears of a body that would be too large.
func (s *Server) treatBatchesApart() {
	server := s.app.Server()
	server.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if pathOf(string(h.RequestURI())) != batchPath {
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

// pathOf returns the path of a request's target, which may name a server too.
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
