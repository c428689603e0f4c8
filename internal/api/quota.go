package api

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
)

// The header fields of draft-ietf-httpapi-ratelimit-headers.
const (
	headerRateLimit       = "RateLimit"
	headerRateLimitPolicy = "RateLimit-Policy"
)

// limitedError is a request, or an order of a batch, that exceeds its caller's limit.
type limitedError struct {
	perSecond  int
	retryAfter time.Duration
}

// Error implements error.
func (e limitedError) Error() string {
	return fmt.Sprintf("over the limit of %d a second", e.perSecond)
}

// limitRate admits a request that is within its caller's limit.
func (s *Server) limitRate(c *fiber.Ctx) error {
	q := s.quotaOf(c)
	_, err := q.charge(c.UserContext(), 1)
	q.setHeader(c)
	if err != nil {
		return err
	}
	return c.Next()
}

// quota charges the cost of one request to its caller's rate limit. It is safe for
// concurrent use.
type quota struct {
	limiter Limiter // nil where nothing is limited
	caller  string

	mu      sync.Mutex
	prepaid int          // charged before the orders were known
	last    access.Grant // of the counted grants, the one that left the least
}

func (s *Server) quotaOf(c *fiber.Ctx) *quota { return &quota{limiter: s.Limiter, caller: callerOf(c)} }

// charge returns how many of n orders or requests are allowed. The error is nil if all
// are, otherwise it is the reason.
func (q *quota) charge(ctx context.Context, n int) (int, error) {
	if q.limiter == nil {
		return n, nil
	}
	paid := q.spendPrepaid(n)
	if paid == n {
		return n, nil
	}
	g := q.limiter.Take(ctx, q.caller, n-paid)
	if g.Counted {
		q.keep(g)
	}
	if paid+g.Allowed < n {
		return paid + g.Allowed, limitedError{q.limiter.Limit().PerSecond, g.RetryAfter}
	}
	return n, nil
}

// prepay charges one order before the request is read, so that a batch without any valid
// order has a cost.
func (q *quota) prepay(c *fiber.Ctx) error {
	_, err := q.charge(c.UserContext(), 1)
	if err != nil {
		q.setHeader(c)
		return err
	}
	q.prepaid = 1
	return nil
}

// spendPrepaid uses up to n of what was charged before.
func (q *quota) spendPrepaid(n int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	spent := min(n, q.prepaid)
	q.prepaid -= spent
	return spent
}

func (q *quota) keep(g access.Grant) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.last.Counted || g.ResetAfter >= q.last.ResetAfter {
		q.last = g
	}
}

// setHeader writes what is left into the answer, if anything was counted.
func (q *quota) setHeader(c *fiber.Ctx) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.last.Counted {
		return
	}
	limit := q.limiter.Limit()
	c.Set(headerRateLimitPolicy, fmt.Sprintf(`"default";q=%d;w=%d`, limit.Burst, seconds(limit.Window())))
	c.Set(headerRateLimit, fmt.Sprintf(`"default";r=%d;t=%d`, q.last.Remaining, seconds(q.last.ResetAfter)))
}

// seconds rounds up, so that a client that waits this long is never early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
