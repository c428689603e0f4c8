package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Pool is what a pool of connections to Redis says of itself. Counters are since the
// start.
type Pool struct {
	// Hits and Misses count how often a connection was free, and was not.
	Hits, Misses uint32
	// Timeouts counts how often none came free in time.
	Timeouts uint32
	// Stale counts the connections that were found broken or too old.
	Stale uint32
	// Open and Idle are how many connections there are, and are not in use.
	Open, Idle uint32
}

// AddPool has each scrape ask the pool, which must be safe for concurrent use.
func (r *Registry) AddPool(read func() Pool) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "redis_pool", name), help, labels, nil)
	}
	r.registry.MustRegister(&pool{
		read:        read,
		hits:        desc("hits_total", "How often a connection to Redis was free when one was needed."),
		misses:      desc("misses_total", "How often no connection to Redis was free when one was needed."),
		timeouts:    desc("timeouts_total", "How often no connection to Redis came free in time, so that a command failed."),
		stale:       desc("stale_total", "Connections to Redis that were closed because they were broken or too old."),
		connections: desc("connections", "Open connections of this process to Redis, by state (used, idle).", "state"),
	})
}

// pool is a prometheus.Collector.
type pool struct {
	read                          func() Pool
	hits, misses, timeouts, stale *prometheus.Desc
	connections                   *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (p *pool) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.hits, p.misses, p.timeouts, p.stale, p.connections} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (p *pool) Collect(out chan<- prometheus.Metric) {
	now := p.read()
	count := func(d *prometheus.Desc, n uint32) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	count(p.hits, now.Hits)
	count(p.misses, now.Misses)
	count(p.timeouts, now.Timeouts)
	count(p.stale, now.Stale)
	idle := min(now.Idle, now.Open) // the two are not read at the same moment
	out <- prometheus.MustNewConstMetric(p.connections, prometheus.GaugeValue, float64(now.Open-idle), "used")
	out <- prometheus.MustNewConstMetric(p.connections, prometheus.GaugeValue, float64(idle), "idle")
}
