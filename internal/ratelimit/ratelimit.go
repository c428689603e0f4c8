// Package ratelimit bounds how much each caller may ask of the API in a second.
//
// It receives the name of a caller and what its request costs, and hands on how
// much of that may be done. The count is kept in Redis, where all processes of the
// API share it, and is gone as soon as it says nothing any more. It guards the
// service against its clients and must never be what fails: a Redis that is away
// or slow lets everything pass.
package ratelimit

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

const (
	// askTimeout bounds one question. Redis answers in a millisecond or is in
	// trouble; a request does not wait for it any longer.
	askTimeout = 50 * time.Millisecond
	// keyPrefix begins the key of each caller, behind the "rate:" of redis_rate. A
	// key lives until its caller has all of its limit back.
	keyPrefix = "orders:"
	// grain makes the time between two requests a multiple of 1/2^23 s. The script
	// adds and subtracts times as doubles, which are exact for such multiples until
	// 2051; else a burst of 1 at 3 a second comes out a hair below 1, and is never
	// granted.
	grain = 1 << 23
)

// Limit is what one caller may ask for.
type Limit struct {
	// PerSecond is how much comes back each second, 1 to 1,000,000. From 10,000 on
	// up to a twentieth more does.
	PerSecond int
	// Burst is how much may be asked for at once, at least 1.
	Burst int
}

// Window is how long all of the limit takes to come back: at least a second, and
// whole seconds.
func (l Limit) Window() time.Duration {
	seconds := (l.Burst + l.PerSecond - 1) / l.PerSecond
	return time.Duration(max(1, seconds)) * time.Second
}

// Config is what a Limiter needs to know.
type Config struct {
	// Limit holds for each caller.
	Limit Limit
	// Timeout bounds one question to Redis; 0 is 50 ms.
	Timeout time.Duration
	// Log is told when the limit cannot be kept, and when it is again.
	Log *slog.Logger
}

// Limiter counts what callers ask for. It is safe for concurrent use.
type Limiter struct {
	cfg   Config
	limit redis_rate.Limit
	count *redis_rate.Limiter
	fuse  fuse
	begun time.Time
}

// New returns a limiter that counts in the Redis of the client, which stays the
// caller's to close. The client has to let a context end a command.
func New(rdb redis.UniversalClient, cfg Config) *Limiter {
	if cfg.Timeout == 0 {
		cfg.Timeout = askTimeout
	}
	return &Limiter{
		cfg: cfg, count: redis_rate.NewLimiter(rdb), begun: time.Now(),
		limit: redis_rate.Limit{
			Rate: grain, Burst: cfg.Limit.Burst, Period: time.Duration(grain/cfg.Limit.PerSecond) * time.Second,
		},
	}
}

// Limit is what each caller may ask for.
func (l *Limiter) Limit() Limit { return l.cfg.Limit }

// Grant is how much of a request may be done.
type Grant struct {
	// Allowed is 0 up to what was asked for.
	Allowed int
	// Counted says that Redis was asked. If it was not, all is allowed, and the
	// rest of the grant means nothing.
	Counted bool
	// Remaining is what is left of the limit.
	Remaining int
	// RetryAfter is when something more is allowed, 0 if all of it was.
	RetryAfter time.Duration
	// ResetAfter is when all of the limit is there again.
	ResetAfter time.Duration
}

// Take takes as much of n as is left to the caller, and at least 1 or nothing.
// When it takes less than n, what is left of a part of 1 is lost. It returns within
// the timeout, and at once while Redis is known to be away: then it grants all of n.
func (l *Limiter) Take(ctx context.Context, caller string, n int) Grant {
	if !l.fuse.closed(time.Since(l.begun)) {
		return Grant{Allowed: n}
	}
	asking, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	got, err := l.count.AllowAtMost(asking, keyPrefix+caller, l.limit, n)
	if err != nil {
		if ctx.Err() == nil { // else it was the caller who had no time
			l.failed(err)
		}
		return Grant{Allowed: n}
	}
	l.answered()
	g := Grant{Allowed: got.Allowed, Counted: true, Remaining: got.Remaining, ResetAfter: got.ResetAfter}
	if g.Allowed < n {
		g.RetryAfter = got.RetryAfter
		if g.Allowed > 0 { // Redis says it of a refusal only
			g.RetryAfter = time.Second / time.Duration(l.cfg.Limit.PerSecond)
		}
	}
	return g
}

func (l *Limiter) failed(err error) {
	if l.fuse.blow(time.Since(l.begun)) {
		l.cfg.Log.Warn("the rate limit is not kept: Redis did not count", "error", err)
	}
}

func (l *Limiter) answered() {
	if l.fuse.mend() {
		l.cfg.Log.Info("the rate limit is kept again")
	}
}
