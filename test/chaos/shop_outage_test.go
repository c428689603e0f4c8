package chaos_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

const (
	// shopLoad is how many orders come in a second.
	shopLoad = 20
	// shopTakes is how many calls a second the shop takes once it is back.
	shopTakes = 40
	// shopAllows is how many calls a second a shop takes that asks for fewer.
	shopAllows = 10
)

// shopOutage is a time in which the shop cannot take all orders, in a row of the table.
type shopOutage struct {
	name string
	env  []string // of the programs
	// fault prepares what is wrong with the shop, and returns how it begins and ends.
	fault func(s *system) (begin, end func())
	span  time.Duration // of the fault, at least; 0 for the usual one
	times int           // how often it happens, with pauses; 0 counts as once
	// meanwhile is done while the breaker is open.
	meanwhile func(s *system)
	// paced means that the shop asks for fewer calls, also after the fault: the breaker
	// stays closed.
	paced bool
	// renamed means that it ends with another URL, which has a breaker of its own: closed, and
	// with nothing known about the shop.
	renamed bool
}

func shopOutages() []shopOutage {
	slow := reply{Status: http.StatusOK, After: 600 * time.Millisecond}
	broken := alternating(http.StatusInternalServerError, 0)
	down := answering(broken)
	refusing := answering(alternating(http.StatusInternalServerError, http.StatusServiceUnavailable))
	once := []string{"ORDERS_MAX_ATTEMPTS=1"}
	return []shopOutage{
		{name: "m the shop is down", fault: down, span: shortOrLong(8*time.Second, 2*time.Minute)},
		{name: "n the shop comes and goes", fault: down, span: shortOrLong(3*time.Second, 10*time.Second), times: 3},
		{name: "o the shop takes one call in a hundred", fault: answering(oneIn(100))},
		{
			name: "p the shop is slower than the timeout", fault: answering(func(string, int) reply { return slow }),
			env: []string{"ORDERS_FULFILMENT_TIMEOUT=500ms"},
		},
		{name: "q the shop answers 429", fault: allowing(""), env: once, paced: true},
		{name: "r the shop answers 429 with Retry-After", fault: allowing("1"), env: once, paced: true},
		{name: "s the name of the shop is gone", fault: misnamed, renamed: true},
		{name: "t the certificate of the shop expires", fault: expiring},
		{name: "v workers are killed while the shop is down", fault: down, meanwhile: killWorkers},
		{name: "w Redis is killed while the shop is down", fault: down, meanwhile: func(s *system) { s.redisDown(shortOrLong(time.Second, 5*time.Second)) }},
		{name: "x orders are cancelled while the shop is down", fault: refusing, meanwhile: withdraw},
	}
}

// TestShopOutages has the shop fail in many ways at a steady rate of orders. While the
// breaker is open, one call a second goes out; soon after the shop's return orders flow
// again, never faster than the shop can take; and no order fails.
func TestShopOutages(t *testing.T) {
	if !long() {
		t.Parallel()
	}
	for _, row := range shopOutages() {
		t.Run(row.name, row.run)
	}
}

func (o shopOutage) run(t *testing.T) {
	s := open(t, o.name)
	s.more = o.env
	begin, end := o.fault(s)
	s.addAPIs(1)
	s.addWorkers(2)
	w := s.watchShop()
	s.whileSubmitting(8, shopLoad, mixed, func() {
		s.awaitCalls(3 * shopLoad)
		for range max(o.times, 1) {
			w.outages = append(w.outages, s.shopDown(o, w, begin, end))
			wait(shortOrLong(3*time.Second, 10*time.Second))
		}
	})
	a := s.conclude()
	a.checkCancelled()
	w.check(o)
}

// shopDown makes one outage of the shop.
func (s *system) shopDown(o shopOutage, w *shopWatch, begin, end func()) outage {
	s.t.Helper()
	s.faults.Add(1)
	span := o.span
	if span == 0 {
		span = shortOrLong(8*time.Second, 20*time.Second)
	}
	out := outage{from: time.Now()}
	over := time.NewTimer(span)
	defer over.Stop()
	begin()
	if !o.paced {
		s.until("the breaker is open", func() bool { return w.since(out.from, isOpen) != never })
	}
	if o.meanwhile != nil {
		o.meanwhile(s)
	}
	<-over.C
	end()
	out.to = time.Now()
	return out
}

// answering is a fault in which the shop answers in another way. After it, it takes
// shopTakes calls a second.
func answering(fault func(id string, call int) reply) func(*system) (begin, end func()) {
	return func(s *system) (begin, end func()) {
		respond := atomic.Pointer[func(string, int) reply]{}
		set := func(how func(string, int) reply) func() { return func() { respond.Store(&how) } }
		set(acceptAll)()
		s.shop.respond = func(id string, call int) reply { return (*respond.Load())(id, call) }
		return set(fault), set(above(shopTakes, reply{Status: http.StatusServiceUnavailable}))
	}
}

// allowing is a fault after which the shop takes shopAllows calls a second for good.
func allowing(retryAfter string) func(*system) (begin, end func()) {
	return func(s *system) (begin, end func()) {
		begin, _ = answering(above(shopAllows, reply{Status: http.StatusTooManyRequests, RetryAfter: retryAfter}))(s)
		return begin, func() {}
	}
}

// above accepts so many calls in each second, and answers more in another way.
func above(perSecond int, more reply) func(string, int) reply {
	var mu sync.Mutex
	second, taken := int64(0), 0
	return func(id string, call int) reply {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now().Unix(); now != second {
			second, taken = now, 0
		}
		if taken++; taken > perSecond {
			return more
		}
		return acceptAll(id, call)
	}
}

// oneIn accepts one call in so many.
func oneIn(calls int64) func(string, int) reply {
	var n atomic.Int64
	return func(id string, call int) reply {
		if n.Add(1)%calls == 0 {
			return acceptAll(id, call)
		}
		return reply{Status: http.StatusServiceUnavailable}
	}
}

// alternating answers the first status and the second in turn.
func alternating(first, second int) func(string, int) reply {
	var n atomic.Int64
	return func(string, int) reply {
		if n.Add(1)%2 == 1 {
			return reply{Status: first}
		}
		return reply{Status: second}
	}
}

// misnamed is a fault in which the workers have the name of a shop that does not resolve.
func misnamed(s *system) (begin, end func()) {
	_, limit := answering(acceptAll)(s)
	right := s.shop.url
	restart := func(url string) {
		s.shop.url = url
		for _, l := range s.workers {
			l.stop()
			l.restart()
		}
	}
	return func() { restart("http://shop.invalid/") }, func() { limit(); restart(right) }
}

// killWorkers kills all workers and restarts them.
func killWorkers(s *system) {
	s.t.Helper()
	for _, l := range s.workers {
		l.kill()
	}
	for _, l := range s.workers {
		l.restart()
	}
}

// withdraw sends orders and cancels each.
func withdraw(s *system) {
	s.t.Helper()
	for n := range 20 {
		o := plain(fmt.Sprintf("withdrawn-%02d", n), 800_000+n)
		o.Ends = order.StatusCancelled
		s.client.submit(o)
		s.until("the order is cancelled", func() bool {
			return s.operate("/orders/"+o.ID+"/cancel", "").Code == http.StatusOK
		})
	}
}

// checkCancelled wants the shop not to have been called for an order after it was
// cancelled.
func (a *audit) checkCancelled() {
	a.s.t.Helper()
	for _, c := range a.s.shop.journal.all() {
		if o := a.listed[c.ID]; o.Status == order.StatusCancelled && c.At.After(o.ProcessedAt) {
			a.s.t.Errorf("order %s was cancelled at %v, and the shop was called at %v", c.ID, o.ProcessedAt, c.At)
		}
	}
}
