package ledger_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// endpoint is a fulfilment endpoint that the test's workers call.
const endpoint = "shop"

const endpointState = "orders:{b0}:f:" + endpoint

// openBreaker returns books whose circuit breaker goes by a clock that only passes moves.
func openBreaker(t *testing.T) *bundle {
	t.Helper()
	b := open(t)
	ledger.StopClockOfBreaker()
	b.setClock(t, time.Date(2026, 1, 1, 12, 0, 0, 500_000_000, time.UTC))
	return b
}

func (b *bundle) setClock(t *testing.T, now time.Time) {
	t.Helper()
	must(t, b.rdb.HSet(t.Context(), ledger.ClockOfBreaker, "s", now.Unix(), "us", now.Nanosecond()/1000).Err())
}

// clock returns the breaker's time.
func (b *bundle) clock(t *testing.T) time.Time {
	t.Helper()
	var now struct {
		Seconds      int64 `redis:"s"`
		Microseconds int64 `redis:"us"`
	}
	must(t, b.rdb.HGetAll(t.Context(), ledger.ClockOfBreaker).Scan(&now))
	return time.Unix(now.Seconds, now.Microseconds*1000)
}

// passes moves the breaker's clock.
func (b *bundle) passes(t *testing.T, d time.Duration) {
	t.Helper()
	b.setClock(t, b.clock(t).Add(d))
}

// report reports calls as worker w1 does.
func (b *bundle) report(t *testing.T, r order.CallReport) order.Permit {
	t.Helper()
	if r.Worker == "" {
		r.Worker = "w1"
	}
	r.Endpoint = endpoint
	p, err := b.ReportCalls(t.Context(), r)
	must(t, err)
	return p
}

func (b *bundle) fulfilment(t *testing.T) stats.Fulfilment {
	t.Helper()
	f, err := b.Fulfilment(t.Context(), b.clock(t))
	must(t, err)
	return f
}

// fails are n calls that no shop answered, the first attempts of their orders.
func fails(n int) order.CallReport {
	return order.CallReport{Unanswered: n, LastError: "fulfilment did not answer", Want: 9}
}

func takes(n int) order.CallReport { return order.CallReport{Taken: n, Want: 9} }

// TestBreakerOpens checks which results open the breaker.
func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	const second = time.Second
	type stage struct {
		after time.Duration
		order.CallReport
	}
	errors := func(n, again int) order.CallReport { return order.CallReport{Errors: n, Again: again} }
	for name, row := range map[string]struct {
		stages []stage
		open   bool
	}{
		"all fail for two seconds":               {[]stage{{0, takes(40)}, {second, fails(8)}, {2 * second, fails(8)}}, true},
		"all fail for a moment":                  {[]stage{{0, takes(40)}, {second, fails(8)}, {second, fails(8)}}, false},
		"all fail, and none succeeded before":    {[]stage{{0, fails(16)}}, true},
		"too few fail":                           {[]stage{{0, fails(8)}, {5 * second, fails(7)}}, false},
		"some successes among them":              {[]stage{{0, fails(15)}, {2 * second, takes(4)}, {second, fails(15)}}, false},
		"a refusal is an answer":                 {[]stage{{0, fails(15)}, {2 * second, order.CallReport{Refused: 4}}, {second, fails(15)}}, false},
		"a long silence between failures":        {[]stage{{0, fails(15)}, {61 * second, fails(15)}}, false},
		"few orders fail again and again":        {[]stage{{0, errors(2, 0)}, {second, errors(50, 50)}, {9 * second, errors(50, 50)}}, false},
		"many orders fail again, and all do":     {[]stage{{0, errors(60, 60)}, {3 * second, errors(68, 68)}}, true},
		"the shop only asks to come later":       {[]stage{{0, order.CallReport{Later: 16}}, {3 * second, order.CallReport{Later: 1}}}, true},
		"one call in a hundred succeeds":         {[]stage{{0, order.CallReport{Taken: 2, Unanswered: 198}}}, true},
		"one order of two cannot be taken":       {[]stage{{0, order.CallReport{Taken: 50, Errors: 50}}}, false},
		"one of two, and they are tried again":   {[]stage{{0, order.CallReport{Taken: 50, Errors: 450, Again: 400}}}, false},
		"one call in a hundred, some time ago":   {[]stage{{0, order.CallReport{Taken: 9, Unanswered: 10}}, {11 * second, order.CallReport{Taken: 1, Unanswered: 10}}}, false},
		"later does not hide failures":           {[]stage{{0, order.CallReport{Unanswered: 16, Later: 99}}}, true},
		"it asks to come later, and takes a few": {[]stage{{0, order.CallReport{Taken: 5, Later: 500}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBreaker(t)
			var p order.Permit
			for _, s := range row.stages {
				b.passes(t, s.after)
				p = b.report(t, s.CallReport)
			}
			if (p.State == order.BreakerOpen) != row.open {
				t.Errorf("the breaker is %s", p.State)
			}
			if f := b.fulfilment(t); f.State != p.State || f.Down() != row.open && f.InARow < 3 {
				t.Errorf("the fulfilment is %+v", f)
			}
		})
	}
}

// opened opens the breaker.
func opened(t *testing.T) *bundle {
	t.Helper()
	b := openBreaker(t)
	b.report(t, fails(15))
	b.passes(t, 2*time.Second)
	if p := b.report(t, fails(1)); p.State != order.BreakerOpen || p.Calls != 0 {
		t.Fatalf("the breaker answers %+v", p)
	}
	return b
}

// TestProbes checks that an open breaker permits one call a second over all workers, and
// that a probe which nobody begins is another worker's.
func TestProbes(t *testing.T) {
	b := opened(t)
	idle := func(worker string, unused int) int {
		return b.report(t, order.CallReport{Worker: worker, Unused: unused, Want: 9}).Calls
	}
	want := func(when string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d calls, want %d", when, got, want)
		}
	}
	want("at once", idle("w1", 0), 0)
	b.passes(t, time.Second)
	want("a worker without a free slot", b.report(t, order.CallReport{}).Calls, 0)
	want("after a second", idle("w1", 0), 1)
	want("another worker", idle("w2", 0), 0)
	want("the same worker again", idle("w1", 0), 0)
	b.passes(t, time.Second)
	want("a killed prober", idle("w2", 0), 1)
	want("the prober has no order", idle("w2", 1), 0)
	want("another one may", idle("w1", 0), 1)
	want("and only once", idle("w2", 0), 0)
	b.passes(t, time.Second)
	if p := b.report(t, fails(1)); p.State != order.BreakerOpen || p.Calls != 1 {
		t.Errorf("after a probe that failed, the breaker answers %+v", p)
	}
	if f := b.fulfilment(t); !f.Down() || f.LastError == "" || f.DownSince().After(f.Since) {
		t.Errorf("the fulfilment is %+v, down since %v", f, f.DownSince())
	}
}

// TestSlowStart checks that the rate of the calls grows with what the shop takes, that it opens again at once if the shop fails, and that the breaker closes.
func TestSlowStart(t *testing.T) {
	b := opened(t)
	p := b.report(t, takes(1))
	if p.State != order.BreakerHalfOpen || p.Calls != 1 {
		t.Fatalf("after a success the breaker answers %+v", p)
	}
	for _, took := range []int{2, 4, 8, 3} {
		b.passes(t, time.Second)
		b.report(t, takes(took))
		before := b.fulfilment(t).Pace
		b.passes(t, time.Second)
		b.report(t, order.CallReport{Want: 9})
		if f := b.fulfilment(t); f.Pace > max(1.3*float64(took), before) || f.Pace < before {
			t.Errorf("the shop took %d, and the pace went from %v to %v", took, before, f.Pace)
		}
	}
	failing := b.report(t, fails(4))
	b.passes(t, time.Second)
	if again := b.report(t, fails(1)); failing.State != order.BreakerHalfOpen || again.State != order.BreakerOpen {
		t.Errorf("after failures the breaker is %s, then %s", failing.State, again.State)
	}
	b.report(t, takes(1))
	b.report(t, order.CallReport{Unanswered: 5, Again: 5})
	b.passes(t, time.Second)
	if p := b.report(t, order.CallReport{Unanswered: 1, Again: 1}); p.State != order.BreakerOpen {
		t.Errorf("after failures of orders that had failed before, the breaker is %s", p.State)
	}
	b.report(t, takes(1))
	b.passes(t, 10*time.Second)
	if p := b.report(t, takes(1)); p.State != order.BreakerClosed {
		t.Errorf("after ten seconds the breaker is %s", p.State)
	}
}

// TestPace checks that a shop that asks to be called later gets what it takes, a little
// more each second, and any number once the workers need fewer.
func TestPace(t *testing.T) {
	b := openBreaker(t)
	if p := b.report(t, takes(5)); p.Calls >= 0 {
		t.Fatalf("at first the breaker answers %+v", p)
	}
	b.report(t, order.CallReport{Later: 3, Want: 9})
	pace := func() float64 { return b.fulfilment(t).Pace }
	if got := pace(); got != 5 {
		t.Errorf("the pace is %v after the shop took 5", got)
	}
	b.passes(t, 2*time.Second)
	b.report(t, takes(5))
	b.passes(t, time.Second)
	b.report(t, takes(5))
	if got := pace(); got <= 5 || got > 6 {
		t.Errorf("the pace has grown to %v, want about a tenth", got)
	}
	b.report(t, order.CallReport{Later: 3, Want: 9})
	b.passes(t, time.Second)
	b.report(t, takes(5))
	if got := pace(); got != 5 {
		t.Errorf("the pace is %v after the shop asked again", got)
	}
	for range 4 {
		b.passes(t, time.Second)
		b.report(t, order.CallReport{Unused: 1, Want: 9})
	}
	if p := b.report(t, order.CallReport{Want: 9}); p.Calls >= 0 || pace() != 0 {
		t.Errorf("workers that need fewer calls are answered %+v", p)
	}
}

// TestPaceOfAnOverloadedShop checks that a shop that leaves most calls unanswered gets twice
// as many as it takes, and that one order of two that it cannot take changes nothing.
func TestPaceOfAnOverloadedShop(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		order.CallReport
		want float64
	}{
		"most are not answered": {order.CallReport{Taken: 5, Unanswered: 12, Again: 12}, 10},
		"few are not":           {order.CallReport{Taken: 50, Unanswered: 12}, 0},
		"most are errors":       {order.CallReport{Taken: 5, Errors: 12}, 0},
		"a handful":             {order.CallReport{Unanswered: 9}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBreaker(t)
			b.report(t, row.CallReport)
			if got := b.fulfilment(t).Pace; got != row.want {
				t.Errorf("the pace is %v, want %v", got, row.want)
			}
		})
	}
}

// TestFulfilmentOfAMinute checks what is counted, and that two endpoints add up.
func TestFulfilmentOfAMinute(t *testing.T) {
	b := openBreaker(t)
	b.report(t, order.CallReport{Taken: 1, Refused: 2, Later: 3, Errors: 4, Unanswered: 5, LastError: "e"})
	b.passes(t, 30*time.Second)
	b.report(t, takes(1))
	got := b.fulfilment(t)
	if got.Taken != 2 || got.Refused != 2 || got.Later != 3 || got.Errors != 4 || got.Unanswered != 5 || got.Calls() != 16 || got.LastError != "e" {
		t.Errorf("the fulfilment is %+v", got)
	}
	_, err := b.ReportCalls(t.Context(), order.CallReport{Endpoint: "other", Worker: "w2", Taken: 10})
	must(t, err)
	if f := b.fulfilment(t); f.Taken != 12 || f.SuccessRatio() != 12.0/26 {
		t.Errorf("both endpoints are %+v", f)
	}
	must(t, b.rdb.ZIncrBy(t.Context(), "orders:{b0}:f", -6000, endpoint).Err())
	if f := b.fulfilment(t); f.Taken != 10 {
		t.Errorf("without reports about the first one, they are %+v", f)
	}
	must(t, b.rdb.ZIncrBy(t.Context(), "orders:{b0}:f", -60_000, "other").Err())
	if f := b.fulfilment(t); f.Taken != 2 {
		t.Errorf("without any workers, it is the last one, %+v", f)
	}
	must(t, b.rdb.ZIncrBy(t.Context(), "orders:{b0}:f", 60_000, "other").Err())
	b.passes(t, 61*time.Second)
	if f := b.fulfilment(t); f.Taken != 0 || f.LastError != "" {
		t.Errorf("a minute later the fulfilment is %+v", f)
	}
	must(t, b.rdb.Del(t.Context(), endpointState).Err())
	must(t, b.rdb.Set(t.Context(), endpointState, "x", 0).Err())
	if _, err := b.ReportCalls(t.Context(), order.CallReport{Endpoint: endpoint}); err == nil {
		t.Error("a state of another type is no error")
	}
	must(t, b.rdb.Del(t.Context(), endpointState).Err())
	must(t, b.rdb.ZAdd(t.Context(), "orders:{b0}:f", redis.Z{Score: 1, Member: "gone"}).Err())
	b.report(t, takes(1))
	if n := b.rdb.ZCard(t.Context(), "orders:{b0}:f").Val(); n != 2 {
		t.Errorf("%d endpoints are listed", n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
