package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"

	"orderprocessor/internal/programtest"
)

// outage is a way in which Redis becomes unavailable, and recovers.
type outage struct {
	name       string
	begin, end func(*redistest.Server)
}

func outages() []outage {
	return []outage{
		{"killed", (*redistest.Server).Kill, (*redistest.Server).Restart},
		{"frozen", (*redistest.Server).Freeze, (*redistest.Server).Thaw},
	}
}

// promise is how soon a client learns that Redis is unavailable.
const promise = 2 * time.Second

// pace measures how fast this machine answers requests that do not need Redis, until the
// returned function is called. That returns how long a request may take here while Redis
// is unavailable.
func pace(t *testing.T, b *bundle) (bound func() time.Duration) {
	t.Helper()
	stop, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			begun := time.Now()
			if resp, err := http.Get("http://" + b.addr + "/nothing"); err == nil {
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

func (a answer) checkWithin(t *testing.T, name string, bound time.Duration) {
	t.Helper()
	if a.took > bound {
		t.Errorf("%s took %v; the promise is %v, which is %v at the pace of this machine", name, a.took, promise, bound)
	}
}

// TestRedisUnavailable answers 503 on every route within the promised time, and as usual
// once Redis is back, without a restart of the server. A rate limit that is counted in the
// same Redis does not delay the answer.
func TestRedisUnavailable(t *testing.T) {
	t.Parallel()
	for _, outage := range outages() {
		t.Run(outage.name, func(t *testing.T) {
			b := open(t, prompt, limitInRedis(1000, 1000))
			b.ask(t, "POST", "/rules", `{"rules":[]}`).object(t, 201)
			all := append(requests(), request{operation: "POST /orders", path: "/orders", body: body("id", "")})
			for i, r := range all {
				id := fmt.Sprint("o", i)
				all[i].path = strings.Replace(r.path, orderID, id, 1)
				all[i].body = strings.Replace(r.body, orderID, id, 1)
				switch {
				case strings.HasSuffix(r.operation, "/retry"):
					b.reach(t, id, order.StatusFailed)
				case strings.HasSuffix(r.operation, "/release"), strings.HasSuffix(r.operation, "/reject"), strings.HasSuffix(r.operation, "/decision"):
					b.reach(t, id, order.StatusHeld)
				case strings.Contains(r.operation, "{id}"):
					b.reach(t, id, order.StatusPending)
				}
			}
			outage.begin(b.redis)
			bound := pace(t, b)
			answers := make([]answer, len(all))
			var asking sync.WaitGroup // all at once, to wait only once
			for i, r := range all {
				asking.Go(func() { answers[i] = b.ask(t, r.method(), r.path, r.body) })
			}
			asking.Wait()
			health := b.ask(t, "GET", "/health", "")
			inTime := bound()
			outage.end(b.redis)
			if got := health.object(t, 503)["reason"]; got != "Redis is unavailable" {
				t.Errorf("health: reason %q", got)
			}
			health.checkWithin(t, "health", inTime)
			for i, r := range all {
				checkUnavailable(t, r, answers[i])
				answers[i].checkWithin(t, r.operation, inTime)
				b.checkServed(t, r, outage.name == "killed")
			}
		})
	}
}

func checkUnavailable(t *testing.T, r request, a answer) {
	t.Helper()
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("%s: headers are %v", r.operation, a.header)
	}
	if r.operation == "POST /orders/batch" {
		if all := a.verdicts(t, jsonMedia); len(all) != 1 || all[0].Status != 503 || all[0].Problem.Type != typeUnavailable {
			t.Errorf("verdicts are %s", a.body)
		}
		return
	}
	p := a.problem(t, 503)
	if p.Type != typeUnavailable {
		t.Errorf("%s: type is %q", r.operation, p.Type)
	}
	// The client must learn an id that the server made, or it could not repeat the order.
	if made := strings.HasPrefix(r.body, `{"amount"`); made != order.ValidID(p.OrderID) {
		t.Errorf("%s: order_id is %q", r.operation, p.OrderID)
	}
}

// checkServed checks that the route is served again. A Redis that was killed has lost its
// orders.
func (b *bundle) checkServed(t *testing.T, r request, killed bool) {
	t.Helper()
	var a answer
	programtest.Until(t, "the route is served again", func() bool {
		a = b.ask(t, r.method(), r.path, r.body)
		return a.code != 503 && !strings.Contains(string(a.body), `"status":503`)
	})
	want := []int{200}
	switch {
	case r.operation == "POST /orders", r.operation == "POST /rules": // Redis may have applied it when it thawed
		want = []int{201, 200}
	case r.operation == "POST /jobs", r.operation == "POST /customers/erase":
		want = []int{202}
	case killed && strings.Contains(r.operation, "{id}"), strings.Contains(r.operation, "/jobs/{id}"):
		want = []int{404}
	case strings.Contains(r.operation, "{version}"): // the rules may be stored again
		want = []int{200, 404}
	case r.operation == "POST /orders/{id}/retry", r.operation == "POST /orders/{id}/release":
		want = []int{202, 409}
	}
	if !slices.Contains(want, a.code) {
		t.Errorf("%s: answered %d %s; want one of %v", r.operation, a.code, a.body, want)
	}
}

// TestNotReady answers 503 and does nothing while the process starts.
func TestNotReady(t *testing.T) {
	b := open(t, func(p *parts) {
		p.cfg.Ready = func() error { return errors.New("starting: waiting for Redis at secret") }
	})
	for _, r := range requests() {
		a := b.ask(t, r.method(), r.path, r.body)
		if p := a.problem(t, 503); p.Type != typeUnavailable || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: type is %q, headers %v", r.operation, p.Type, a.header)
		}
		checkNothingInternal(t, a)
	}
	b.checkEmpty(t)
}
