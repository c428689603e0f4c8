package metrics

import "github.com/prometheus/client_golang/prometheus"

// Pool describes a pool of connections to Redis. Counters are since the start.
type Pool struct {
	// Hits and Misses count how often a connection was free, and was not.
	Hits, Misses uint32
	// Timeouts counts how often none became free in time.
	Timeouts uint32
	// Stale counts the connections that were found broken or too old.
	Stale uint32
	// Open and Idle count the connections, and those that are not in use.
	Open, Idle uint32
}

// AddPool reads the pool at each scrape. The function must be safe for concurrent use.
// The collector of go-redis is not used because its metrics have other names.
func (r *Registry) AddPool(read func() Pool) {
	count := func(name, help string, value func(Pool) uint32) {
		r.factory.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Subsystem: "redis_pool", Name: name, Help: help},
			func() float64 { return float64(value(read())) })
	}
	count("hits_total", "How often a connection to Redis was free when one was needed.", func(p Pool) uint32 { return p.Hits })
	count("misses_total", "How often no connection to Redis was free when one was needed.", func(p Pool) uint32 { return p.Misses })
	count("timeouts_total", "How often no connection to Redis became free in time, so that a command failed.", func(p Pool) uint32 { return p.Timeouts })
	count("stale_total", "Connections to Redis that were closed because they were broken or too old.", func(p Pool) uint32 { return p.Stale })
	connections := func(state string, value func(Pool) uint32) {
		r.factory.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: "redis_pool", Name: "connections",
			Help:        "Open connections of this process to Redis, by state (used, idle).",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(value(read())) })
	}
	// Open and Idle are not read at the same moment, so Idle may exceed Open.
	connections("used", func(p Pool) uint32 { return p.Open - min(p.Idle, p.Open) })
	connections("idle", func(p Pool) uint32 { return min(p.Idle, p.Open) })
}
