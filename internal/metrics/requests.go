package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxRoutes bounds the routes that are told apart, three times as many as there
	// are: what comes on top is counted as other.
	maxRoutes = 100
	// otherValue stands for what is not told apart.
	otherValue = "other"
)

// Requests counts and times HTTP requests. It is safe for concurrent use.
type Requests struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec

	mu       sync.RWMutex
	routes   map[string]bool
	children map[request]counted
}

// request is what tells requests apart.
type request struct{ route, method, status string }

// counted is where requests of one kind are counted.
type counted struct {
	total prometheus.Counter
	took  prometheus.Observer
}

// NewRequests returns the counters of requests. A registry has one of them.
func (r *Registry) NewRequests() *Requests {
	return &Requests{
		total: r.factory.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_requests_total",
			Help: "HTTP requests by method, pattern of their route (none where none was reached) and class of the answer's status, such as 2xx.",
		}, []string{"method", "route", "status"}),
		took: r.factory.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds",
			Help: "Time until the answer of an HTTP request was made, including what the client asked to wait, " +
				"by method and pattern of its route. Of a stream it is the time until it began.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		routes: map[string]bool{}, children: map[request]counted{},
	}
}

// Observe counts one request. The route is its pattern, never its path; it is kept, the
// method is not.
func (r *Requests) Observe(route, method string, status int, took time.Duration) {
	child := r.child(request{route: route, method: methodLabel(method), status: classOf(status)})
	child.total.Inc()
	child.took.Observe(took.Seconds())
}

func (r *Requests) child(q request) counted {
	r.mu.RLock()
	child, known := r.children[q]
	r.mu.RUnlock()
	if known {
		return child
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.routes[q.route] && len(r.routes) >= maxRoutes {
		q.route = otherValue
	}
	r.routes[q.route] = true
	child = counted{
		total: r.total.WithLabelValues(q.method, q.route, q.status),
		took:  r.took.WithLabelValues(q.method, q.route),
	}
	r.children[q] = child
	return child
}

// methodLabel returns one of the methods that are told apart, in memory of its own:
// that of the request is used again for the next one.
func methodLabel(method string) string {
	for _, known := range [...]string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	} {
		if method == known {
			return known
		}
	}
	return otherValue
}

func classOf(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	default:
		return otherValue
	}
}
