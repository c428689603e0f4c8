// Package metrics counts and times what a program does, for Prometheus.
//
// Decorators observe the calls between other packages and pass them on unchanged,
// errors included. Collectors read figures at each scrape. The package owns only
// numbers in memory; nothing is durable after it.
//
// Metrics of one process are named orders_* and add up over processes. Those named
// orders_books_* are read from Redis and equal in every API process: use their maximum,
// not their sum. Labels have values from closed sets only, so that neither clients nor
// the content of Redis can create series.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace is the prefix of our metrics.
const namespace = "orders"

// maxScrapes is the maximum number of concurrent scrapes, which all ask Redis. Others
// are refused with 503.
const maxScrapes = 4

// Registry holds the metrics of one program. It is safe for concurrent use.
type Registry struct {
	registry *prometheus.Registry
	factory  promauto.Factory
}

// New returns a registry with the metrics of the Go runtime, the process and the build.
func New(version string) *Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	r := &Registry{registry: registry, factory: promauto.With(registry)}
	r.factory.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1, with the version of this program.",
		ConstLabels: prometheus.Labels{"version": version},
	}).Set(1)
	return r
}

// Handler answers scrapes.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// children returns the counter for each value of the last label. All of them start at
// zero, and callers find theirs without an allocation.
func children(vec *prometheus.CounterVec, values []string, labels ...string) map[string]prometheus.Counter {
	all := make(map[string]prometheus.Counter, len(values))
	for _, value := range values {
		all[value] = vec.WithLabelValues(append(labels[:len(labels):len(labels)], value)...)
	}
	return all
}

// Flags registers a gauge for each value of its only label, which is 1 or 0. The
// function is called at each scrape; it must be safe for concurrent use and return at
// once.
func (r *Registry) Flags(name, help, label string, values []string, read func(value string) bool) {
	for _, value := range values {
		r.factory.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}},
			func() float64 { return oneIf(read(value)) })
	}
}

// Gauge registers a gauge without labels. The function is called at each scrape; it
// must be safe for concurrent use and return at once.
func (r *Registry) Gauge(name, help string, read func() int) {
	r.factory.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help},
		func() float64 { return float64(read()) })
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
