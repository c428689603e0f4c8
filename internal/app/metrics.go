package app

import (
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/metrics"
)

// newMetrics returns the metrics that both programs have.
func newMetrics(rdb redis.UniversalClient, m *monitor) *metrics.Registry {
	r := metrics.New(Version())
	r.AddPool(func() metrics.Pool {
		s := rdb.PoolStats()
		return metrics.Pool{
			Hits: s.Hits, Misses: s.Misses, Timeouts: s.Timeouts, Stale: s.StaleConns,
			Open: s.TotalConns, Idle: s.IdleConns,
		}
	})
	checked := checksOf(fromSettings)
	names := make([]string, 0, len(checked))
	for _, c := range checked {
		names = append(names, c.name)
	}
	r.Flags("check_failed", "1 while this check of Redis or of the clock keeps this process from its work, else 0.",
		"check", names, m.blocks)
	return r
}
