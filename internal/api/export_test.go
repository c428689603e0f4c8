package api

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
)

// The limits that the tests use.
const (
	MaxCorruptListed  = maxCorruptListed
	MaxBatchBytes     = maxBatchBytes
	MaxBatchOrders    = maxBatchOrders
	MaxBatches        = maxBatches
	HeartbeatInterval = heartbeatInterval
)

// SetRequestTimeout replaces the time that a server which does not serve yet waits for Redis.
func (s *Server) SetRequestTimeout(d time.Duration) { s.requestTimeout = d }

// Simulations has an element for each simulation that runs.
func (s *Server) Simulations() chan struct{} { return s.simulations }

// Scoped is a key with the hash of a text.
func Scoped(name, text string, scopes ...access.Scope) access.Key {
	return access.Key{Name: name, Scopes: scopes, Hash: sha256.Sum256([]byte(text))}
}

// Middleware lists the paths that have a handler before their routes.
func (s *Server) Middleware() []string {
	var all []string
	routes := s.http.App().GetRoutes(true)
	for _, r := range s.http.App().GetRoutes(false) {
		isRoute := slices.ContainsFunc(routes, func(known fiber.Route) bool {
			return known.Method == r.Method && known.Path == r.Path
		})
		if !isRoute {
			all = append(all, r.Path)
		}
	}
	return all
}

// Routes lists the method and the path of each route, spelt as in the specification.
func (s *Server) Routes() []string {
	parameter := regexp.MustCompile(`:(\w+)`)
	var all []string
	for _, r := range s.http.App().GetRoutes(true) {
		all = append(all, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	return all
}
