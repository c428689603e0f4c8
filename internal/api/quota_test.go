package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/access"

	"orderprocessor/internal/programtest"
)

const typeLimited = "tag:orderprocessor,2026:rate-limited"

// purse is a limiter that never refills.
type purse struct {
	mu   sync.Mutex
	left map[string]int
}

func purses(p *parts, left map[string]int) *purse {
	limits := &purse{left: left}
	p.Limiter = limits
	return limits
}

func (p *purse) Limit() access.Limit { return access.Limit{PerSecond: 20, Burst: 50} }

func (p *purse) Take(_ context.Context, caller string, n int) access.Grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := min(n, p.left[caller])
	p.left[caller] -= taken
	g := access.Grant{Allowed: taken, Counted: true, Remaining: p.left[caller], ResetAfter: 1234 * time.Millisecond}
	if taken < n {
		g.RetryAfter = 2100 * time.Millisecond
	}
	return g
}

// wantLimits wants the two fields to say what is left; empty for an answer that was
// not counted.
func wantLimits(t *testing.T, a answer, left string) {
	t.Helper()
	policy, now := `"default";q=50;w=3`, `"default";r=`+left+`;t=2`
	if left == "" {
		policy, now = "", ""
	}
	if p, n := a.header.Get("RateLimit-Policy"), a.header.Get("RateLimit"); p != policy || n != now {
		t.Errorf("the fields are %q and %q; want %q and %q", p, n, policy, now)
	}
}

// TestLimit counts every request of a caller but that for health, and refuses when
// nothing is left.
func TestLimit(t *testing.T) {
	b := open(t, func(p *parts) { purses(p, map[string]int{"": 3}) })
	wantLimits(t, b.ask(t, "POST", "/orders", body()), "2")
	bad := b.ask(t, "GET", "/queues?x=1", "")
	bad.problem(t, 400)
	wantLimits(t, bad, "1")
	wantLimits(t, b.ask(t, "GET", "/monitoring", ""), "0")
	for _, r := range append(requests(), request{operation: "GET /docs", path: "/docs"}, request{operation: "GET /openapi.json", path: "/openapi.json"}) {
		if r.operation == "POST /orders/batch" {
			continue
		}
		t.Run(r.operation, func(t *testing.T) {
			a := b.ask(t, r.method(), r.path, r.body)
			p := a.problem(t, 429)
			if p.Type != typeLimited || a.header.Get("Retry-After") != "3" || !strings.Contains(p.Detail, "20 a second") {
				t.Errorf("type %q, Retry-After %q, detail %q", p.Type, a.header.Get("Retry-After"), p.Detail)
			}
			wantLimits(t, a, "0")
		})
	}
	wantLimits(t, b.ask(t, "GET", "/health", ""), "")
	wantLimits(t, b.ask(t, "GET", "/nothing", ""), "")
	if n := b.tasks(t, "pending"); n != 1 {
		t.Errorf("%d tasks wait", n)
	}
}

// TestLimitComesAfterAccess counts for the name of the key, and nothing for those
// who are not let in; and before anything else is asked.
func TestLimitComesAfterAccess(t *testing.T) {
	var limits *purse
	ready := true
	b := open(t, withKeys, func(p *parts) {
		limits = purses(p, map[string]int{"shop": 2, "viewer": 1, "all": 9, "": 99})
		p.cfg.Ready = func() error {
			if ready {
				return nil
			}
			return http.ErrServerClosed
		}
	})
	wantLimits(t, b.ask(t, "GET", "/stats", ""), "")
	wantLimits(t, b.ask(t, "GET", "/stats", "", "Authorization", "Bearer submit-key"), "")
	wantLimits(t, b.ask(t, "POST", "/orders", body(), "Authorization", "Bearer submit-key"), "1")
	wantLimits(t, b.ask(t, "POST", "/orders", body(), "Authorization", "Bearer second-key"), "0")
	wantLimits(t, b.ask(t, "GET", "/stats", "", "Authorization", "Bearer read-key"), "0")
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
			var limits *purse
			b := open(t, func(p *parts) { limits = purses(p, map[string]int{"": row.left}) })
			a := b.ask(t, "POST", "/orders/batch", row.text, "Content-Type", ndjson)
			wantLimits(t, a, strconv.Itoa(row.then))
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
			if n := b.tasks(t, "pending"); n != int64(row.want[201]) {
				t.Errorf("%d tasks wait", n)
			}
			limits.left[""] = 0
			refused := b.ask(t, "POST", "/orders/batch", bad, "Content-Type", ndjson)
			wantLimits(t, refused, "0")
			refused.problem(t, 429)
			wantLimits(t, b.ask(t, "POST", "/orders/batch", bad, "Content-Type", "text/plain"), "")
		})
	}
}

// counting limits by a real Redis.
func counting(perSecond, burst int, timeout time.Duration) func(*parts) {
	return func(p *parts) {
		p.Limiter = access.NewLimiter(p.Redis.(redis.UniversalClient), access.LimiterConfig{
			Limit:   access.Limit{PerSecond: perSecond, Burst: burst},
			Timeout: timeout, Log: slog.New(slog.DiscardHandler),
		})
	}
}

// TestLimitInRedis is one limit for all processes that share a Redis, and what it
// answers passes for its draft.
func TestLimitInRedis(t *testing.T) {
	b := open(t, withKeys, counting(1, 5, 10*time.Second))
	p := parts{Parts: b.parts}
	withKeys(&p)
	counting(1, 5, 10*time.Second)(&p)
	other := serve(t, p)
	codes := map[int]int{}
	begun := time.Now()
	for i := range 40 {
		s := []*site{b.site, other}[i%2]
		a := s.ask(t, "GET", "/queues", "", "Authorization", "Bearer read-key")
		codes[a.code]++
		if policy := a.header.Get("RateLimit-Policy"); policy != `"default";q=5;w=5` {
			t.Errorf("policy is %q", policy)
		}
		if now := a.header.Get("RateLimit"); !regexp.MustCompile(`^"default";r=[0-4];t=[1-5]$`).MatchString(now) {
			t.Errorf("RateLimit is %q", now)
		}
	}
	if most := 5 + int(time.Since(begun).Seconds()) + 1; codes[200] < 5 || codes[200] > most || codes[200]+codes[429] != 40 {
		t.Errorf("answers are %v; want 5 to %d of 200, and 429", codes, most)
	}
	b.ask(t, "GET", "/queues", "", "Authorization", "Bearer all-key").object(t, 200)
}

// TestLimitWithoutRedis keeps the promised time, and limits again when Redis is back.
func TestLimitWithoutRedis(t *testing.T) {
	t.Parallel()
	for _, fault := range outages() {
		t.Run(fault.name, func(t *testing.T) {
			b := open(t, prompt, counting(1, 1, 50*time.Millisecond))
			fault.begin(b.redis)
			bound := pace(t, b)
			a := b.ask(t, "GET", "/orders/o", "")
			a.wantWithin(t, "with a limit", bound())
			a.problem(t, 503)
			fault.end(b.redis)
			programtest.Until(t, "it is limited again", func() bool {
				return b.ask(t, "GET", "/orders/o", "").code == http.StatusTooManyRequests
			})
		})
	}
}
