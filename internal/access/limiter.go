package access

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

const (
	// countTimeout bounds one call to Redis by default. Redis answers within a
	// millisecond or is in trouble, and a request must not wait for that.
	countTimeout = 50 * time.Millisecond
	// limitPrefix follows the "rate:" of redis_rate in the key of each caller. A key
	// expires when all of its caller's limit is available again.
	limitPrefix = "orders:"
	// grain makes the time between two requests a multiple of 1/2^23 s. The script of
	// redis_rate adds and subtracts times as doubles, which are exact for such multiples
	// until 2051. Otherwise a burst of 1 at 3 per second would be rounded below 1 and
	// never granted.
	grain = 1 << 23
)

// Limit is the rate limit of one caller.
type Limit struct {
	// PerSecond is the sustained rate, 1 to 1,000,000 requests a second. From 10,000
	// on the effective rate may be up to 5 % higher.
	PerSecond int
	// Burst is how many requests may come at once, at least 1.
	Burst int
}

// Window is the time after which an exhausted limit is fully available again, in
// whole seconds and at least one.
func (l Limit) Window() time.Duration {
	seconds := (l.Burst + l.PerSecond - 1) / l.PerSecond
	return time.Duration(max(1, seconds)) * time.Second
}

// LimiterConfig configures a Limiter.
type LimiterConfig struct {
	// Limit applies to each caller.
	Limit Limit
	// Timeout bounds one call to Redis; 0 means 50 ms.
	Timeout time.Duration
	// Log receives a line when the limit can no longer be enforced, and when it can
	// again.
	Log *slog.Logger
}

// Limiter enforces a rate limit for each caller. It protects the service from its
// clients and must never be what fails: while Redis is unavailable or slow, every
// request passes. It is safe for concurrent use.
type Limiter struct {
	cfg     LimiterConfig
	limit   redis_rate.Limit
	count   *redis_rate.Limiter
	breaker breaker
	begun   time.Time
}

// NewLimiter returns a limiter that counts in the Redis of the client. The caller
// closes the client, which must honour the deadlines of contexts.
func NewLimiter(rdb redis.UniversalClient, cfg LimiterConfig) *Limiter {
	if cfg.Timeout == 0 {
		cfg.Timeout = countTimeout
	}
	return &Limiter{
		cfg: cfg, count: redis_rate.NewLimiter(rdb), begun: time.Now(),
		limit: redis_rate.Limit{
			Rate: grain, Burst: cfg.Limit.Burst, Period: time.Duration(grain/cfg.Limit.PerSecond) * time.Second,
		},
	}
}

// Limit returns the limit of each caller.
func (l *Limiter) Limit() Limit { return l.cfg.Limit }

// Grant is the answer to one call of Take.
type Grant struct {
	// Allowed is how many of the n requests may proceed.
	Allowed int
	// Counted reports whether Redis has counted the call. Otherwise all n are allowed
	// and the fields below have no meaning.
	Counted bool
	// Remaining is what is left of the limit.
	Remaining int
	// RetryAfter is when more is allowed, or 0 if all n are.
	RetryAfter time.Duration
	// ResetAfter is when the whole limit is available again.
	ResetAfter time.Duration
}

// Take subtracts up to n from what is left to the caller. It returns within the
// timeout, and at once while Redis is known to be unavailable: then it grants all n.
func (l *Limiter) Take(ctx context.Context, caller string, n int) Grant {
	if !l.breaker.allow(time.Since(l.begun)) {
		return Grant{Allowed: n}
	}
	counting, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	got, err := l.count.AllowAtMost(counting, limitPrefix+caller, l.limit, n)
	if err != nil {
		// If the request has ended, Redis is not to blame.
		if ctx.Err() == nil && l.breaker.trip(time.Since(l.begun)) {
			l.cfg.Log.Warn("the rate limit is not enforced: Redis did not count", "error", err)
		}
		return Grant{Allowed: n}
	}
	if l.breaker.reset() {
		l.cfg.Log.Info("the rate limit is enforced again")
	}
	g := Grant{Allowed: got.Allowed, Counted: true, Remaining: got.Remaining, ResetAfter: got.ResetAfter}
	if g.Allowed < n {
		g.RetryAfter = got.RetryAfter
		if g.Allowed > 0 { // the script sets it for a complete refusal only
			g.RetryAfter = time.Second / time.Duration(l.cfg.Limit.PerSecond)
		}
	}
	return g
}
