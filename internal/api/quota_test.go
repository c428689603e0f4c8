package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/access"
)

// fixedLimiter is a limiter that never refills.
type fixedLimiter struct {
	mu   sync.Mutex
	left map[string]int // by caller
}

func (l *fixedLimiter) Limit() access.Limit { return access.Limit{PerSecond: 20, Burst: 50} }

func (l *fixedLimiter) Take(_ context.Context, caller string, n int) access.Grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	allowed := min(n, l.left[caller])
	l.left[caller] -= allowed
	g := access.Grant{Allowed: allowed, Counted: true, Remaining: l.left[caller], ResetAfter: 1234 * time.Millisecond}
	if allowed < n {
		g.RetryAfter = 2100 * time.Millisecond
	}
	return g
}

// limitInRedis limits with a real limiter.
func limitInRedis(perSecond, burst int) func(*parts) {
	return func(p *parts) {
		p.Limiter = access.NewLimiter(p.Redis.(redis.UniversalClient), access.LimiterConfig{
			Limit: access.Limit{PerSecond: perSecond, Burst: burst}, Log: slog.New(slog.DiscardHandler),
		})
	}
}

// checkLimit checks the two header fields with what is left; empty for an answer that was
// not counted.
func checkLimit(t *testing.T, a answer, left string) {
	t.Helper()
	policy, now := `"default";q=50;w=3`, `"default";r=`+left+`;t=2`
	if left == "" {
		policy, now = "", ""
	}
	if p, n := a.header.Get("RateLimit-Policy"), a.header.Get("RateLimit"); p != policy || n != now {
		t.Errorf("the fields are %q and %q; want %q and %q", p, n, policy, now)
	}
}

// TestLimit counts every request of a caller but those to /health, and refuses requests when
// nothing is left.
func TestLimit(t *testing.T) {
	b := open(t, func(p *parts) { p.Limiter = &fixedLimiter{left: map[string]int{"": 3}} })
	checkLimit(t, b.ask(t, "POST", "/orders", body()), "2")
	bad := b.ask(t, "GET", "/queues?x=1", "")
	bad.problem(t, 400)
	checkLimit(t, bad, "1")
	checkLimit(t, b.ask(t, "GET", "/monitoring", ""), "0")
	for _, r := range append(requests(), request{operation: "GET /docs", path: "/docs"}, request{operation: "GET /openapi.json", path: "/openapi.json"}) {
		a := b.ask(t, r.method(), r.path, r.body)
		p := a.problem(t, 429)
		if p.Type != typeLimited || a.header.Get("Retry-After") != "3" || !strings.Contains(p.Detail, "20 a second") {
			t.Errorf("%s: type %q, Retry-After %q, detail %q", r.operation, p.Type, a.header.Get("Retry-After"), p.Detail)
		}
		checkLimit(t, a, "0")
	}
	checkLimit(t, b.ask(t, "GET", "/health", ""), "")
	checkLimit(t, b.ask(t, "GET", "/nothing", ""), "")
	b.checkTasks(t, "pending", 1)
}

// TestLimitComesAfterAccess counts for the name of the key, and nothing for a request that
// its key does not allow. It comes before everything else.
func TestLimitComesAfterAccess(t *testing.T) {
	limits := &fixedLimiter{left: map[string]int{"shop": 2, "viewer": 1, "all": 9, "": 99}}
	ready := true
	b := open(t, withKeys, func(p *parts) {
		p.Limiter = limits
		p.cfg.Ready = func() error {
			if ready {
				return nil
			}
			return http.ErrServerClosed
		}
	})
	checkLimit(t, b.ask(t, "GET", "/stats", ""), "")
	checkLimit(t, b.ask(t, "GET", "/stats", "", "Authorization", "Bearer submit-key"), "")
	checkLimit(t, b.ask(t, "POST", "/orders", body(), "Authorization", "Bearer submit-key"), "1")
	checkLimit(t, b.ask(t, "POST", "/orders", body(), "Authorization", "Bearer second-key"), "0")
	checkLimit(t, b.ask(t, "GET", "/stats", "", "Authorization", "Bearer read-key"), "0")
	ready = false
	b.ask(t, "GET", "/stats", "", "Authorization", "Bearer all-key").problem(t, 503)
	b.ask(t, "POST", "/orders", "{", "Authorization", "Bearer submit-key").problem(t, 429)
	if diff := cmp.Diff(map[string]int{"shop": 0, "viewer": 0, "all": 8, "": 99}, limits.left); diff != "" {
		t.Error(diff)
	}
}

// TestLimitOfABatch accepts the first orders, as many as the limit allows, and refuses the
// others in their own verdicts. A batch costs at least as much as one order.
func TestLimitOfABatch(t *testing.T) {
	const bad = "x\n"
	for _, row := range []struct {
		name, text string
		left, then int // of the limit, before and after
		want       map[int]int
	}{
		{"of many", bad + lines("o", 700) + bad, 305, 0, map[int]int{201: 305, 400: 2, 429: 395}},
		{"of one id", strings.Repeat(withID("a")+"\n", 5), 2, 0, map[int]int{201: 1, 200: 1, 429: 3}},
		{"without an order", strings.Repeat(bad, 100), 2, 1, map[int]int{400: 100}},
	} {
		t.Run(row.name, func(t *testing.T) {
			limits := &fixedLimiter{left: map[string]int{"": row.left}}
			b := open(t, func(p *parts) { p.Limiter = limits })
			a := b.ask(t, "POST", "/orders/batch", row.text, "Content-Type", ndjson)
			checkLimit(t, a, strconv.Itoa(row.then))
			if limited := row.want[429] > 0; (a.header.Get("Retry-After") == "3") != limited {
				t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
			}
			all := a.verdicts(t, ndjson)
			if diff := cmp.Diff(row.want, count(all)); diff != "" {
				t.Error(diff)
			}
			for i, v := range all {
				if v.Status == 429 && (v.Problem == nil || v.Problem.Type != typeLimited || row.name == "of one id" && i < 2) {
					t.Errorf("verdict is %+v", v)
				}
			}
			b.checkTasks(t, "pending", row.want[201])
			limits.left[""] = 0
			refused := b.ask(t, "POST", "/orders/batch", bad, "Content-Type", ndjson)
			checkLimit(t, refused, "0")
			refused.problem(t, 429)
			checkLimit(t, b.ask(t, "POST", "/orders/batch", bad, "Content-Type", "text/plain"), "")
		})
	}
}
