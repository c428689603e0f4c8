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

// Limits counts what callers ask for; see the methods of access.Limiter.
type Limits interface {
	Take(ctx context.Context, caller string, n int) access.Grant
	Limit() access.Limit
}

// The fields of draft-ietf-httpapi-ratelimit-headers.
const (
	headerRateLimit       = "RateLimit"
	headerRateLimitPolicy = "RateLimit-Policy"
)

// limitedError is a request, or an order of a batch, that is over its caller's
// limit.
type limitedError struct {
	perSecond  int
	retryAfter time.Duration
}

// Error implements error.
func (e limitedError) Error() string {
	return fmt.Sprintf("over the limit of %d a second", e.perSecond)
}

// limit lets a request pass that is within its caller's limit.
func (s *Server) limit(c *fiber.Ctx) error {
	m := s.meterOf(c)
	_, err := m.take(c.UserContext(), 1)
	m.tell(c)
	if err != nil {
		return err
	}
	return c.Next()
}

// meter counts what one request costs its caller. It is safe for concurrent use.
type meter struct {
	limits Limits // nil where nothing is limited
	caller string

	mu   sync.Mutex
	paid int             // what was taken before it was known what for
	last access.Grant // of those that were counted, the one that left the least
}

func (s *Server) meterOf(c *fiber.Ctx) *meter { return &meter{limits: s.Limits, caller: callerOf(c)} }

// take returns how much of n may be done, and an error that says why not all.
func (m *meter) take(ctx context.Context, n int) (int, error) {
	if m.limits == nil {
		return n, nil
	}
	paid := m.spend(n)
	if paid == n {
		return n, nil
	}
	g := m.limits.Take(ctx, m.caller, n-paid)
	if g.Counted {
		m.keep(g)
	}
	if paid+g.Allowed < n {
		return paid + g.Allowed, limitedError{m.limits.Limit().PerSecond, g.RetryAfter}
	}
	return n, nil
}

// prepay takes the cost of one order before the request is read: what holds no
// valid order costs that, too.
func (m *meter) prepay(c *fiber.Ctx) error {
	_, err := m.take(c.UserContext(), 1)
	if err != nil {
		m.tell(c)
		return err
	}
	m.paid = 1
	return nil
}

// spend uses up to n of what was paid before.
func (m *meter) spend(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	spent := min(n, m.paid)
	m.paid -= spent
	return spent
}

func (m *meter) keep(g access.Grant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.last.Counted || g.ResetAfter >= m.last.ResetAfter {
		m.last = g
	}
}

// tell writes what is left into the answer, if anything was counted.
func (m *meter) tell(c *fiber.Ctx) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.last.Counted {
		return
	}
	limit := m.limits.Limit()
	c.Set(headerRateLimitPolicy, fmt.Sprintf(`"default";q=%d;w=%d`, limit.Burst, seconds(limit.Window())))
	c.Set(headerRateLimit, fmt.Sprintf(`"default";r=%d;t=%d`, m.last.Remaining, seconds(m.last.ResetAfter)))
}

// seconds rounds up, so that who waits for so long has waited long enough.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
