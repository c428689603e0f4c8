package api

import (
	"context"
	_ "embed"
	"fmt"
	"sync"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
	"orderprocessor/internal/web"
)

//go:embed openapi.yaml
var specification string

// Specification returns the OpenAPI document of the API, as YAML.
func Specification() []byte { return []byte(specification) }

// batchPath accepts larger and slower bodies than any other.
const batchPath = "/orders/batch"

// cost is what a request counts towards its caller's rate limit.
type cost int

const (
	// free requests are not counted.
	free cost = iota
	// perRequest counts one for the request.
	perRequest
	// perOrder counts one for each order of a batch. The handler counts them.
	perOrder
)

// route is one path, and who may use it. A route for GET serves HEAD as well.
type route struct {
	method, path string
	scope        access.Scope // a route without one is closed to every key
	cost         cost
	handlers     []fiber.Handler
}

// What every server shows alike.
//
//nolint:gochecknoglobals // computed once and never changed
var (
	pagesOfSpecification = sync.OnceValues(func() (web.Specification, error) { return web.NewSpecification(specification) })
	livePage             = sync.OnceValues(web.LivePage)
)

// routes returns all routes of the API. The time that a request may wait for Redis begins
// when its body has arrived.
func (s *Server) routes() ([]route, error) {
	spec, err := pagesOfSpecification()
	if err != nil {
		return nil, err
	}
	page, err := livePage()
	if err != nil {
		return nil, err
	}
	const get, post, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodDelete
	type steps = []fiber.Handler
	all := []route{
		{post, "/orders", access.Submit, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.submit}},
		{get, "/orders", access.Read, perRequest, steps{s.ready, s.bound, s.listOrders}},
		{post, batchPath, access.Submit, perOrder, steps{s.ready, noQuery, s.submitBatch}},
		{post, "/orders/retry", access.Admin, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.retryOrders}},
		{get, "/orders/export", access.Read, perRequest, steps{s.ready, s.bound, s.exportOrders}},
		{get, "/failures", access.Read, perRequest, steps{s.ready, s.bound, s.listFailures}},
		{get, "/orders/:id", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.getOrder}},
		{get, "/orders/:id/events", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listEvents}},
		{post, "/orders/:id/cancel", access.Submit, perRequest, steps{s.ready, noQuery, allowJSON, s.bound, s.cancelOrder}},
		{post, "/orders/:id/retry", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.retryOrder}},
		{post, "/orders/:id/release", access.Admin, perRequest, steps{s.ready, noQuery, allowJSON, s.bound, s.releaseOrder}},
		{post, "/orders/:id/reject", access.Admin, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.rejectOrder}},
		{get, "/orders/:id/decision", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.getDecision}},

		{get, "/rules", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listRules}},
		{post, "/rules", access.Admin, perRequest, steps{s.ready, noQuery, needRules, s.bound, s.pushRules}},
		{del, "/rules/shadow", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.endShadow}},
		{get, "/rules/:version", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.getRules}},
		{post, "/rules/:version/simulate", access.Admin, perRequest, steps{s.ready, noQuery, allowJSON, s.bound, s.simulateRules}},
		{post, "/rules/:version/shadow", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.shadowRules}},
		{post, "/rules/:version/activate", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.activateRules}},

		{get, "/queues", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listQueues}},
		{get, "/queues/:name/corrupt", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listCorrupt}},
		{post, "/queues/:name/pause", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.pauseQueue}},
		{post, "/queues/:name/resume", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.resumeQueue}},

		{post, "/jobs", access.Admin, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.createJob}},
		{get, "/jobs", access.Read, perRequest, steps{s.ready, s.bound, s.listJobs}},
		{get, "/jobs/:id", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.getJob}},
		{post, "/jobs/:id/pause", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.changeJob(order.JobPaused)}},
		{post, "/jobs/:id/resume", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.changeJob(order.JobRunning)}},
		{post, "/jobs/:id/stop", access.Admin, perRequest, steps{s.ready, noQuery, s.bound, s.changeJob(order.JobStopped)}},
		{post, "/customers/erase", access.Admin, perRequest, steps{s.ready, noQuery, needJSON, s.bound, s.eraseCustomer}},
		{get, "/audit", access.Read, perRequest, steps{s.ready, s.bound, s.listAudit}},
		{get, "/workers", access.Read, perRequest, steps{s.ready, noQuery, s.bound, s.listWorkers}},

		{get, "/events", access.Read, perRequest, steps{s.http.OwnSite, s.ready, s.bound, s.subscribe}},
		{get, "/stats", access.Read, perRequest, steps{s.ready, s.bound, s.getStats}},
		{get, "/stats/history", access.Read, perRequest, steps{s.ready, s.bound, s.getStatsHistory}},
		{get, "/health", access.Open, free, steps{s.bound, s.getHealth}},

		{get, web.SpecificationYAMLPath, access.Read, perRequest, steps{spec.YAML}},
		{get, web.SpecificationJSONPath, access.Read, perRequest, steps{spec.JSON}},
		{get, web.ReaderPath, access.Read, perRequest, steps{httpserver.BoundBody, spec.Reader}},
		{get, web.ReaderPath + "/*", access.Read, perRequest, steps{httpserver.BoundBody, spec.Reader}},
		{get, web.LivePagePath, access.Read, perRequest, steps{httpserver.BoundBody, page}},
		{get, web.LivePageFiles + "*", access.Read, perRequest, steps{httpserver.BoundBody, page}},
	}
	asynqmon := steps{s.auditMonitoring, httpserver.BoundBody, web.Asynqmon(s.Redis, s.cfg.MonitoringWritable)}
	for _, method := range web.AsynqmonMethods() {
		scope := access.Admin
		if method == get {
			scope = access.Read
		}
		all = append(all, route{method, web.AsynqmonPath, scope, perRequest, asynqmon},
			route{method, web.AsynqmonPath + "/*", scope, perRequest, asynqmon})
	}
	return all, nil
}

// register adds the routes. Before its handlers, each has what may refuse a request
// before anything of it is read.
func (s *Server) register(routes []route) {
	for _, r := range routes {
		steps := append(s.traced(r.path), s.needScope(r.scope))
		if r.cost == perRequest {
			steps = append(steps, s.limitRate)
		}
		steps = append(steps, r.handlers...)
		s.http.App().Add(r.method, r.path, steps...)
		if r.method == fiber.MethodGet {
			s.http.App().Add(fiber.MethodHead, r.path, steps...)
		}
	}
}

// ready refuses a request while the process cannot serve orders.
func (s *Server) ready(c *fiber.Ctx) error {
	if err := s.cfg.Ready(); err != nil {
		return fmt.Errorf("%w: %w", order.ErrUnavailable, err)
	}
	return c.Next()
}

// bound limits how long the request may wait for Redis, from here on.
func (s *Server) bound(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), s.requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}
