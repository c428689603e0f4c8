package chaos_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// slots is how many orders the one worker works at once.
	slots = 16
	// overloaded is how many times its capacity is offered.
	overloaded = 5
)

// TestOverload offers five times what the worker can do, in orders that fill
// Redis. Some are refused, at once and with the time to come back; what is
// accepted is worked. The short form has a smaller Redis, so that it is full in a moment; the
// long one, which needs the machine to itself, also checks that the worker is never without
// work.
func TestOverload(t *testing.T) {
	each := shortOrLong(160*time.Millisecond, 40*time.Millisecond) // at the shop
	span := shortOrLong(6*time.Second, 30*time.Second)
	s := open(t, "j overload", "--maxmemory", shortOrLong("12mb", "64mb"))
	s.shop.respond = func(string, int) reply { return reply{Status: http.StatusOK, After: each} }
	s.addAPIs(1, "ORDERS_RETENTION="+shortRetention.String())
	s.addWorkers(1, "ORDERS_RETENTION="+shortRetention.String())
	s.faults.Add(1)
	perSecond := float64(slots) / each.Seconds()
	o := s.overload(span, int(overloaded*perSecond))
	worked := s.shop.called("")
	t.Logf("%.0f orders a second offered for %v: %d sent, %d accepted, %d refused, %d worked meanwhile; refused after p50 %v, p99 %v; accepted after p99 %v",
		overloaded*perSecond, span, o.sent, len(o.accepted), len(o.refused), worked,
		percentile(o.refused, 50), percentile(o.refused, 99), percentile(o.accepted, 99))
	a := s.concludeByTotals()
	a.checkKinds("201", "503")
	if long() && len(o.accepted) <= worked {
		t.Errorf("%d orders were accepted and %d worked: the worker had no more work", len(o.accepted), worked)
	}
	if least := int(0.9 * perSecond * span.Seconds()); long() && len(o.accepted) < least {
		t.Errorf("%d orders were accepted, want %d, which is 90 %% of what the worker can do", len(o.accepted), least)
	}
	if least := int(0.7 * perSecond * span.Seconds()); long() && worked < least {
		t.Errorf("%d orders were worked meanwhile, want %d at least", worked, least)
	}
	if len(o.refused) == 0 {
		t.Error("no order was refused")
	}
	if p99 := percentile(o.refused, 99); long() && p99 > 200*time.Millisecond {
		t.Errorf("99 of 100 orders were refused within %v, the goal is 20 ms, the bound ten times that", p99)
	}
	s.checkLogs("OOM")
}

// offered is what came of the orders of an overload.
type offered struct {
	mu                sync.Mutex
	sent              int
	accepted, refused []time.Duration // how long each answer took, ascending at the end
	full              atomic.Bool     // one was refused
}

// overload sends so many orders a second, each once, whatever the answers are, and
// continues after its time for as long as none was refused.
func (s *system) overload(span time.Duration, perSecond int) *offered {
	s.t.Helper()
	o, begun := &offered{}, time.Now()
	more := func() bool { return time.Since(begun) < span || !o.full.Load() && time.Since(begun) < patience }
	o.sent = steadily(perSecond, more, func(n int) { s.offer(o, bigOrder(n)) })
	slices.Sort(o.accepted)
	slices.Sort(o.refused)
	return o
}

// bigOrder is an order of some ten kilobytes.
func bigOrder(n int) submission {
	o := plain(fmt.Sprintf("fat-%06d", n), n)
	o.Items = slices.Repeat([]string{strings.Repeat("tea and ", 25)}, 50)
	return o
}

// offer sends an order once.
func (s *system) offer(o *offered, order submission) {
	begun := time.Now()
	a := s.client.try(s.apis[0], order, 1)
	took := time.Since(begun)
	if a.kind == "503" && a.header.Get("Retry-After") == "" {
		s.t.Errorf("order %s was refused without a time to come back: %s", order.ID, a.body)
	}
	if strings.Contains(string(a.body), "OOM") {
		s.t.Errorf("order %s was answered with an error of Redis: %s", order.ID, a.body)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch a.kind {
	case "201":
		o.accepted = append(o.accepted, took)
	case "503":
		o.full.Store(true)
		o.refused = append(o.refused, took)
	}
}

// checkLogs wants no program to have logged a text.
func (s *system) checkLogs(never string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.owned {
		for line := range strings.Lines(p.Log()) {
			if strings.Contains(line, never) {
				s.t.Errorf("%s logged: %s", p, line)
				break
			}
		}
	}
}
