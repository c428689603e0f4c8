// Package metrics counts and times what a program does, in Prometheus's terms.
//
// It stands around the parts: decorators watch what passes between them, and
// collectors ask at each scrape. It hands on what it watches unchanged, errors
// included, and owns nothing but numbers in memory; nothing is durable after it.
//
// Metrics of one process are named orders_*, and add up over processes. Those named
// orders_books_* are read from Redis and the same in every API process: take their
// max, not their sum. Labels have values from closed sets only, so that neither
// clients nor what is in Redis can make series.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins the name of every metric that is ours.
const namespace = "orders"

// maxScrapes is how many scrapes are answered at once; others are refused with 503.
// Each asks Redis.
const maxScrapes = 4

// Registry holds the metrics of one program. It is safe for concurrent use.
type Registry struct {
	registry *prometheus.Registry
	factory  promauto.Factory
}

// New returns a registry with the metrics of the Go runtime, the process and the
// build.
func New() *Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return &Registry{registry: registry, factory: promauto.With(registry)}
}

// Handler answers scrapes.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// counters registers a counter with one child for each value of its only label, so
// that all are there from the start, at zero, and counting finds its child without
// an allocation.
func (r *Registry) counters(name, help, label string, values []string) map[string]prometheus.Counter {
	vec := r.factory.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
	children := make(map[string]prometheus.Counter, len(values))
	for _, value := range values {
		children[value] = vec.WithLabelValues(value)
	}
	return children
}

// Flags registers a number for each value of its only label, 1 or 0, that is asked for
// at each scrape. The function must be safe for concurrent use and return at once.
func (r *Registry) Flags(name, help, label string, values []string, read func(value string) bool) {
	for _, value := range values {
		r.factory.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}},
			func() float64 { return oneIf(read(value)) })
	}
}

// Gauge registers a number without labels that is asked for at each scrape. The
// function must be safe for concurrent use and return at once.
func (r *Registry) Gauge(name, help string, read func() int) {
	r.factory.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help},
		func() float64 { return float64(read()) })
}
