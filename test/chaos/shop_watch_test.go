package chaos_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/stats"
	"orderprocessor/test/kit"
)

// never is how long after a moment something was seen that was not.
const never = time.Duration(-1)

// The bounds: those promised in the long form, and about ten times that on any machine
// with other scenarios running.

// opensWithin is how soon an outage is in /stats and /health.
func opensWithin() time.Duration { return shortOrLong(150*time.Second, 15*time.Second) }

// returnsWithin is how soon the shop is called after its return.
func returnsWithin() time.Duration { return shortOrLong(30*time.Second, 3*time.Second) }

// closesWithin is how soon the breaker is closed after it.
func closesWithin() time.Duration { return shortOrLong(3*time.Minute, 20*time.Second) }

// settlesWithin is how long after a change of its state the breaker has stopped calls.
func settlesWithin() time.Duration { return shortOrLong(3*time.Second, time.Second) }

// shopSample is what /stats and /health said at a moment.
type shopSample struct {
	at       time.Time
	state    order.BreakerState
	since    time.Time // when the breaker entered the state
	attempts int64     // begun so far
	cause    stats.Cause
}

func isOpen(v shopSample) bool { return v.state == order.BreakerOpen }

// shopWatch samples /stats and /health every 200 ms. Its samples may be read concurrently.
type shopWatch struct {
	s       *system
	outages []outage // for the goroutine of the test alone

	mu      sync.Mutex
	samples []shopSample
}

// watchShop starts a watch that ends with the test.
func (s *system) watchShop() *shopWatch {
	w := &shopWatch{s: s}
	ctx, enough := context.WithCancel(context.Background())
	var sampling sync.WaitGroup
	sampling.Go(func() {
		for ctx.Err() == nil {
			w.sample()
			wait(200 * time.Millisecond)
		}
	})
	s.t.Cleanup(func() {
		enough()
		sampling.Wait()
	})
	return w
}

// sample takes one sample, unless no API answers.
func (w *shopWatch) sample() {
	var v struct {
		kit.Stats
		Fulfilment struct {
			State order.BreakerState
			Since time.Time
		}
	}
	var health struct{ Verdict struct{ Cause stats.Cause } }
	if !w.ask("/stats", &v) || !w.ask("/health", &health) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, shopSample{time.Now(), v.Fulfilment.State, v.Fulfilment.Since, v.Ledger.Attempts, health.Verdict.Cause})
}

// ask asks once. An unhealthy API answers 503 with its verdict.
func (w *shopWatch) ask(path string, into any) bool {
	got, err := w.s.client.At(w.s.apis[0].current.Load().url).Ask(http.MethodGet, path, "")
	return err == nil && (got.Code == http.StatusOK || path == "/health") && json.Unmarshal(got.Body, into) == nil
}

func (w *shopWatch) all() []shopSample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.samples)
}

// since returns how long after a moment the first such sample was taken.
func (w *shopWatch) since(from time.Time, ok func(shopSample) bool) time.Duration {
	for _, v := range w.all() {
		if v.at.After(from) && ok(v) {
			return v.at.Sub(from)
		}
	}
	return never
}

// within wants something to have been seen in time after a moment.
func (w *shopWatch) within(what string, took, bound time.Duration) {
	w.s.t.Helper()
	switch {
	case took == never:
		w.s.t.Errorf("%s: never, want it within %v", what, bound)
	case took > bound:
		w.s.t.Errorf("%s: after %v, want it within %v", what, took, bound)
	default:
		w.s.t.Logf("%s: after %v", what, took.Round(10*time.Millisecond))
	}
}

// check compares the samples and the journal of the shop with the promises.
func (w *shopWatch) check(o shopOutage) {
	w.s.t.Helper()
	w.checkClosed()
	calls := w.calls()
	rate, from := shopTakes, w.outages[0].to
	if o.paced {
		rate, from = shopAllows, w.outages[0].from.Add(3*time.Second) // until then they come as before
		w.checkNeverOpen()
		w.within("/health is shop_paced", w.since(w.outages[0].from, func(v shopSample) bool { return v.cause == stats.CauseShopPaced }), opensWithin())
	} else {
		w.checkSeen()
	}
	for _, out := range w.outages {
		after := slices.IndexFunc(calls, out.to.Before)
		first := never
		if after >= 0 {
			first = calls[after].Sub(out.to)
		}
		w.within("the first call after the return", first, returnsWithin())
	}
	w.checkProbes(calls, o)
	w.checkRate(calls, from, rate, o)
	w.logBreakers()
}

// logBreakers logs the breakers after a failure.
func (w *shopWatch) logBreakers() {
	w.s.t.Helper()
	ctx := w.s.t.Context()
	for _, endpoint := range w.s.rdb.ZRange(ctx, book+"f", 0, -1).Val() {
		if w.s.t.Failed() {
			w.s.t.Logf("breaker %s: %v", endpoint, w.s.rdb.HGetAll(ctx, book+"f:"+endpoint).Val())
		}
	}
}

// calls returns when each attempt called the shop, ascending. An HTTP client repeats a call
// whose connection broke; that counts as one.
func (w *shopWatch) calls() (at []time.Time) {
	type attempt struct {
		id     string
		number int
	}
	known := map[attempt]bool{}
	for _, c := range w.s.shop.journal.all() {
		if made := (attempt{c.ID, c.Attempt}); !known[made] {
			known[made], at = true, append(at, c.At)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// checkSeen wants each outage to be seen in /stats and /health.
func (w *shopWatch) checkSeen() {
	w.s.t.Helper()
	for _, out := range w.outages {
		w.within("/stats is open", w.since(out.from, isOpen), opensWithin())
		w.within("/health is shop_down", w.since(out.from, func(v shopSample) bool { return v.cause == stats.CauseShopDown }), opensWithin())
	}
}

// checkNeverOpen wants the breaker to have been closed all the time.
func (w *shopWatch) checkNeverOpen() {
	w.s.t.Helper()
	all := w.all()
	if i := slices.IndexFunc(all, func(v shopSample) bool { return v.state != order.BreakerClosed }); i >= 0 {
		w.s.t.Errorf("the breaker was not closed: %+v", all[i])
	}
}

// checkClosed wants the breaker to be closed at the end, soon after the shop's return.
func (w *shopWatch) checkClosed() {
	w.s.t.Helper()
	now, back := time.Now(), w.outages[len(w.outages)-1].to
	isClosed := func(v shopSample) bool { return v.state == order.BreakerClosed }
	programtest.Poll(closesWithin(), func() bool { return w.since(now, isClosed) != never })
	closed := never
	for _, v := range slices.Backward(w.all()) {
		if !isClosed(v) || v.at.Before(back) {
			break
		}
		closed = v.at.Sub(back)
	}
	w.within("/stats is closed for good", closed, closesWithin())
}

// checkProbes wants one call a second at most while the breaker is open: by the journal of
// the shop, and by the attempts, which count calls that do not reach it.
func (w *shopWatch) checkProbes(calls []time.Time, o shopOutage) {
	w.s.t.Helper()
	var first, last shopSample
	report := func() {
		span := last.at.Sub(first.at)
		most := int(span.Seconds()*shortOrLong(10.0, 1.0)) + 2
		n, attempts := 0, int(last.attempts-first.attempts)
		for _, at := range calls {
			if at.After(first.at) && at.Before(last.at) {
				n++
			}
		}
		if span > 0 {
			w.s.t.Logf("open for %v: %d calls, %d attempts", span.Round(time.Millisecond), n, attempts)
		}
		if n > most || attempts > most {
			w.s.t.Errorf("%d calls and %d attempts in the %v in which the breaker was open, want %d", n, attempts, span, most)
		}
	}
	for _, v := range w.all() {
		switch {
		case !isOpen(v) || v.at.Sub(v.since) < settlesWithin(), o.renamed && v.at.After(w.outages[0].to):
		case v.since.Equal(first.since):
			last = v
		default:
			report()
			first, last = v, v
		}
	}
	report()
}

// checkRate wants no more calls in any second from a moment on than twice what the shop
// takes in one; at a URL that nobody has called before, three times.
func (w *shopWatch) checkRate(calls []time.Time, from time.Time, takes int, o shopOutage) {
	w.s.t.Helper()
	calls = calls[max(0, slices.IndexFunc(calls, from.Before)):]
	most, begin := 0, 0
	for end, at := range calls {
		for at.Sub(calls[begin]) >= time.Second {
			begin++
		}
		most = max(most, end-begin+1)
	}
	w.s.t.Logf("at most %d calls in a second, and the shop takes %d", most, takes)
	strict := 2
	if o.renamed {
		strict = 3
	}
	if bound := takes * shortOrLong(5, strict); most > bound {
		w.s.t.Errorf("%d calls came in a second, want %d, as the shop takes %d", most, bound, takes)
	}
}
