package app

import (
	"slices"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/metrics"
)

// newMeters returns the metrics of a program with those that both have.
func newMeters(rdb redis.UniversalClient, w *watch) *metrics.Registry {
	meters := metrics.New()
	meters.AddPool(func() metrics.Pool {
		s := rdb.PoolStats()
		return metrics.Pool{
			Hits: s.Hits, Misses: s.Misses, Timeouts: s.Timeouts, Stale: s.StaleConns,
			Open: s.TotalConns, Idle: s.IdleConns,
		}
	})
	meters.Flags("check_failed", "1 while this check of Redis or of the clock keeps this process from its work, else 0.",
		"check", checkNames(), w.keepsBack)
	return meters
}

// checkNames are those of all checks.
func checkNames() []string {
	all := append(judge(ledger.Settings{}), judgeWritable(ledger.Settings{}, nil, nil), judgeClock(0))
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// keepsBack says whether the check of this name keeps the process from its work, as
// /readyz tells of all together.
func (w *watch) keepsBack(name string) bool {
	if name == checkClock && !w.needsClock {
		return false
	}
	return slices.ContainsFunc(w.checks(), func(c check) bool { return c.Name == name && c.State == checkFailed })
}

// measure adds what only an API tells.
func (a *API) measure() {
	a.meters.AddBooks(a.report)
	a.meters.Gauge("event_streams", "Clients that follow events at this process.", a.live.Streams)
}
