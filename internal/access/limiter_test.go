package access_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/access"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limiter returns a limiter that waits for Redis on a busy machine.
func limiter(rdb redis.UniversalClient, perSecond, burst int) *access.Limiter {
	return access.NewLimiter(rdb, access.LimiterConfig{
		Limit: access.Limit{PerSecond: perSecond, Burst: burst}, Timeout: programtest.Patience, Log: slog.New(slog.DiscardHandler),
	})
}

// TestTake grants as much as there is, and returns what is left. At one a second little is
// added while the test runs.
func TestTake(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client()
	l := limiter(rdb, 1, 600)
	about := cmp.Comparer(func(x, y time.Duration) bool {
		return (x == 0) == (y == 0) && (x-y).Abs() < 30*time.Second
	})
	steps := []struct {
		name   string
		caller string
		n      int
		want   access.Grant
	}{
		{"one", "shop", 1, access.Grant{Allowed: 1, Counted: true, Remaining: 599, ResetAfter: time.Second}},
		{"nearly all", "shop", 549, access.Grant{Allowed: 549, Counted: true, Remaining: 50, ResetAfter: 550 * time.Second}},
		{"more than there is", "shop", 500, access.Grant{Allowed: 50, Counted: true, RetryAfter: time.Second, ResetAfter: 600 * time.Second}},
		{"another caller", "other", 600, access.Grant{Allowed: 600, Counted: true, ResetAfter: 600 * time.Second}},
		{"nobody", "", 1, access.Grant{Allowed: 1, Counted: true, Remaining: 599, ResetAfter: time.Second}},
	}
	for _, step := range steps {
		got := l.Take(t.Context(), step.caller, step.n)
		// A second or two may have passed, and brought as much back.
		if got.Allowed >= step.want.Allowed && got.Allowed <= step.want.Allowed+30 {
			got.Allowed = step.want.Allowed
		}
		if got.Remaining >= step.want.Remaining && got.Remaining <= step.want.Remaining+30 {
			got.Remaining = step.want.Remaining
		}
		if diff := cmp.Diff(step.want, got, about); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	if l.Limit() != (access.Limit{PerSecond: 1, Burst: 600}) {
		t.Errorf("the limit is %+v", l.Limit())
	}
	// The key is gone as soon as the caller has all of its limit back.
	if ttl := rdb.TTL(t.Context(), "rate:orders:shop").Val(); ttl <= 0 || ttl > 600*time.Second {
		t.Errorf("the key lives for %v", ttl)
	}
}

// TestRefusal grants nothing to a caller that has used up its limit, returns when to come
// back, and does not count the attempt.
func TestRefusal(t *testing.T) {
	t.Parallel()
	l := limiter(redistest.Start(t).Client(), 1, 1)
	for range 20 {
		first := l.Take(t.Context(), "shop", 1)
		again := l.Take(t.Context(), "shop", 5)
		if again.Allowed > 0 {
			continue // this machine took a second for it
		}
		if !again.Counted || again.Remaining != 0 || again.RetryAfter <= 0 || again.RetryAfter > time.Second ||
			again.ResetAfter <= 0 || again.ResetAfter > time.Second {
			t.Errorf("after %+v: %+v", first, again)
		}
		return
	}
	t.Error("a limit of one a second is never reached")
}

// TestEveryLimitIsExact grants all of an unused burst, at once or in parts, whatever the
// rate: the script counts with doubles.
func TestEveryLimitIsExact(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client()
	for _, perSecond := range []int{1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 30, 60, 97, 100, 333, 999, 1000, 7777, 99_999, 1_000_000} {
		for _, burst := range []int{1, 2, 3, 7, 10, 99, 1000, 1_000_000} {
			l := limiter(rdb, perSecond, burst)
			name := fmt.Sprintf("%d-%d", perSecond, burst)
			if got := l.Take(t.Context(), name+"-whole", burst); got.Allowed != burst || !got.Counted {
				t.Errorf("%d a second, burst %d: %+v at once", perSecond, burst, got)
			}
			for i := range min(burst, 10) {
				if got := l.Take(t.Context(), name+"-parts", 1); got.Allowed != 1 || !got.Counted {
					t.Errorf("%d a second, burst %d: the %dth alone gets %+v", perSecond, burst, i+1, got)
				}
			}
		}
	}
}

// TestComesBack grants requests at the limit's rate to all processes together.
func TestComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const perSecond, burst = 200, 10
	begun := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 3 { // processes
		l := limiter(server.Client(), perSecond, burst)
		for range 4 {
			wg.Go(func() {
				for time.Since(begun) < 1500*time.Millisecond {
					g := l.Take(t.Context(), "shop", 1)
					mu.Lock()
					taken += g.Allowed
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	most := burst + int(time.Since(begun).Seconds()*perSecond*1.01) + 1
	if taken > most || taken < most/10 { // a busy machine may be slower than the rate
		t.Errorf("%d were granted; want about %d, and no more", taken, most)
	}
}

// TestWindow computes the time that a whole burst takes, in whole seconds.
func TestWindow(t *testing.T) {
	t.Parallel()
	for limit, want := range map[access.Limit]time.Duration{
		{PerSecond: 10, Burst: 10}: time.Second, {PerSecond: 10, Burst: 1}: time.Second, {PerSecond: 10, Burst: 11}: 2 * time.Second,
		{PerSecond: 10, Burst: 100}: 10 * time.Second, {PerSecond: 1, Burst: 1_000_000}: 1_000_000 * time.Second,
	} {
		if got := limit.Window(); got != want {
			t.Errorf("%+v: %v, want %v", limit, got, want)
		}
	}
}

// TestWithoutRedis grants everything while Redis is frozen or gone, asks it no more than once
// a second, and counts again when it is back.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"frozen": {(*redistest.Server).Freeze, (*redistest.Server).Thaw},
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb := server.Client()
			asked := &asks{}
			rdb.AddHook(asked)
			log := &bytes.Buffer{}
			l := access.NewLimiter(rdb, access.LimiterConfig{
				Limit: access.Limit{PerSecond: 1, Burst: 1}, Timeout: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
			})
			programtest.Until(t, "it counts", func() bool { return l.Take(t.Context(), "shop", 1).Counted })
			fault.begin(server)
			begun := time.Now()
			before := asked.n.Load()
			for range 1000 {
				if g := l.Take(t.Context(), "shop", 3); g.Allowed != 3 || g.Counted {
					t.Fatalf("without Redis: %+v", g)
				}
			}
			// go-redis asks for a script by its hash first.
			if n, most := asked.n.Load()-before, 2*(1+int64(time.Since(begun)/time.Second)); n > most {
				t.Errorf("Redis was asked %d times in %v", n, time.Since(begun))
			}
			fault.end(server)
			programtest.Until(t, "it counts again", func() bool { return l.Take(t.Context(), "shop", 1).Counted })
			if text := log.String(); strings.Count(text, "not enforced") == 0 || strings.Count(text, "enforced again") == 0 {
				t.Errorf("the log is %s", text)
			}
		})
	}
}

// TestNoTime does not blame Redis for a request that has no time left.
func TestNoTime(t *testing.T) {
	t.Parallel()
	l := limiter(redistest.Start(t).Client(), 1, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if g := l.Take(gone, "shop", 2); g.Allowed != 2 || g.Counted {
		t.Errorf("without time: %+v", g)
	}
	if g := l.Take(t.Context(), "shop", 1); !g.Counted {
		t.Errorf("the next one: %+v", g)
	}
}

// TestBrokenCount grants everything when Redis refuses to count.
func TestBrokenCount(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client()
			breaker := &redistest.Breaker{}
			rdb.AddHook(breaker)
			l := limiter(rdb, 1, 1)
			breaker.Break(fault, redistest.Script("rate:"))
			for range 2 {
				if g := l.Take(t.Context(), "shop", 2); g.Allowed != 2 || g.Counted {
					t.Errorf("%+v", g)
				}
			}
			if breaker.Fired() != 1 {
				t.Errorf("%d questions broke", breaker.Fired())
			}
			programtest.Until(t, "it counts again", func() bool { return l.Take(t.Context(), "shop", 1).Counted })
		})
	}
}

// asks counts scripts.
type asks struct{ n atomic.Int64 }

func (a *asks) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a *asks) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			a.n.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (a *asks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
