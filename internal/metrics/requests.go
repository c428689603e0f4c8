package metrics

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxRoutes is how many routes are distinguished, three times as many as exist.
	// Further ones are counted as otherValue.
	maxRoutes = 100
	// otherValue replaces a label value outside its closed set.
	otherValue = "other"
)

// Requests counts and times HTTP requests. It is safe for concurrent use.
type Requests struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec

	mu     sync.RWMutex
	routes map[string]bool
}

// NewRequests returns the counters of requests. Call it once for a registry.
func (r *Registry) NewRequests() *Requests {
	return &Requests{
		total: r.factory.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_requests_total",
			Help: "HTTP requests by method, pattern of their route (none where none matched) and class of the answer's status, such as 2xx.",
		}, []string{"method", "route", "status"}),
		took: r.factory.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds",
			Help: "Time until the answer of an HTTP request was ready, including what the client asked to wait, " +
				"by method and pattern of its route. For a stream it is the time until it began.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		routes: map[string]bool{},
	}
}

// Observe counts one request. The route is its pattern, never its path. Observe retains
// the route, but not the method.
func (r *Requests) Observe(route, method string, status int, took time.Duration) {
	route, method = r.routeLabel(route), methodLabel(method)
	r.total.WithLabelValues(method, route, statusLabel(status)).Inc()
	r.took.WithLabelValues(method, route).Observe(took.Seconds())
}

func (r *Requests) routeLabel(route string) string {
	r.mu.RLock()
	known := r.routes[route]
	r.mu.RUnlock()
	if known {
		return route
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.routes[route] && len(r.routes) >= maxRoutes {
		return otherValue
	}
	r.routes[route] = true
	return route
}

// methodLabel returns a constant, because the server reuses the memory of the method.
func methodLabel(method string) string {
	known := [...]string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if i := slices.Index(known[:], method); i >= 0 {
		return known[i]
	}
	return otherValue
}

func statusLabel(status int) string {
	classes := [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
	if class := status / 100; class >= 1 && class < len(classes) {
		return classes[class]
	}
	return otherValue
}
