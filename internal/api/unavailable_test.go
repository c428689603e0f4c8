package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// outages are the two ways in which Redis goes away, and comes back.
func outages(b *bundle) []struct {
	name      string
	away, fix func()
} {
	return []struct {
		name      string
		away, fix func()
	}{
		{"killed", b.redis.Kill, b.redis.Restart},
		{"frozen", b.redis.Freeze, b.redis.Thaw},
	}
}

// promise is how soon a client hears of a Redis that is away.
const promise = 2 * time.Second

// pace measures how fast this machine answers in the meantime what needs no Redis,
// until the function that it returns is called. That returns how long a request about
// a Redis that is away may take here.
func pace(t *testing.T, b *bundle) (bound func() time.Duration) {
	t.Helper()
	stop, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			begun := time.Now()
			resp, err := http.Get("http://" + b.addr + "/nothing")
			if err == nil {
				_ = resp.Body.Close()
			}
			most = max(most, time.Since(begun))
			select {
			case <-stop:
				slowest <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return promise + time.Second + 10*<-slowest
	}
}

// TestRedisAway answers 503 within the promised time whatever is asked, and
// serves again when Redis is back, without a restart of the server.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"killed", "frozen"} {
		t.Run(name, func(t *testing.T) {
			b := open(t, prompt)
			b.ask(t, "POST", "/orders", body("id", `"before"`)).object(t, 201)
			outage := outages(b)[i]
			outage.away()
			healed := false
			defer func() {
				if !healed {
					outage.fix()
				}
			}()
			asks := []struct{ name, method, path, body string }{
				{"submit", http.MethodPost, "/orders", body()},
				{"submit without an id", http.MethodPost, "/orders", body("id", "")},
				{"submit again", http.MethodPost, "/orders", body("id", `"before"`)},
				{"get", http.MethodGet, "/orders/before", ""},
				{"stats", http.MethodGet, "/stats", ""},
			}
			bound := pace(t, b)
			answers := make([]answer, len(asks))
			var asking sync.WaitGroup // all at once, to wait only once
			for i, ask := range asks {
				asking.Go(func() { answers[i] = b.ask(t, ask.method, ask.path, ask.body) })
			}
			asking.Wait()
			health := b.ask(t, "GET", "/health", "")
			inTime := bound()
			for i, ask := range asks {
				a := answers[i]
				p := a.problem(t, 503)
				if p.Type != "tag:orderprocessor,2026:redis-unavailable" || a.header.Get("Retry-After") != "1" {
					t.Errorf("%s: type %q, headers %v", ask.name, p.Type, a.header)
				}
				// An id that was made must be told, or nobody could repeat the order.
				if made := ask.name == "submit without an id"; made != order.ValidID(p.OrderID) {
					t.Errorf("%s: order_id is %q", ask.name, p.OrderID)
				}
				a.wantWithin(t, ask.name, inTime)
			}
			if got := health.object(t, 503)["reason"]; got != "Redis is unavailable" {
				t.Errorf("health: reason %q", got)
			}
			health.wantWithin(t, "health", inTime)
			b.ask(t, "POST", "/orders", "{").problem(t, 400)
			b.ask(t, "GET", "/nothing", "").problem(t, 404)

			outage.fix()
			healed = true
			var a answer
			eventually(t, "the server takes orders again", func() bool {
				a = b.ask(t, "POST", "/orders", body())
				return a.code < 500
			})
			exact(t, b.ask(t, "GET", "/orders/ord_1", ""), 200)
			b.ask(t, "GET", "/stats", "").object(t, 200)
		})
	}
}

func (a answer) wantWithin(t *testing.T, name string, bound time.Duration) {
	t.Helper()
	if a.took > bound {
		t.Errorf("%s took %v; the promise is %v, which is %v at the pace of this machine", name, a.took, promise, bound)
	}
}
