package app

import (
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/metrics"
)

// newMeters returns the metrics of a program with those that both have.
func newMeters(rdb redis.UniversalClient) *metrics.Registry {
	meters := metrics.New()
	meters.AddPool(func() metrics.Pool {
		s := rdb.PoolStats()
		return metrics.Pool{
			Hits: s.Hits, Misses: s.Misses, Timeouts: s.Timeouts, Stale: s.StaleConns,
			Open: s.TotalConns, Idle: s.IdleConns,
		}
	})
	return meters
}

// measure adds what only an API tells.
func (a *API) measure() {
	a.meters.AddBooks(a.report)
	a.meters.Gauge("event_streams", "Clients that follow events at this process.", a.live.Streams)
}
