package fulfilment

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// fakeShared is the state that all workers share: it keeps what is reported, and answers
// what the test sets.
type fakeShared struct {
	mu      sync.Mutex
	reports []order.CallReport
	permit  order.Permit
	err     error
}

func (s *fakeShared) ReportCalls(_ context.Context, r order.CallReport) (order.Permit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	return s.permit, s.err
}

func (s *fakeShared) answer(calls int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permit, s.err = order.Permit{Calls: calls}, err
}

func (s *fakeShared) last() order.CallReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports[len(s.reports)-1]
}

// fakeGate keeps the limits that it is given, and takes no orders.
type fakeGate struct {
	mu     sync.Mutex
	limits []int
}

func (g *fakeGate) Limit(n int) (unused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.limits) > 0 {
		unused = max(0, g.limits[len(g.limits)-1])
	}
	g.limits = append(g.limits, n)
	return unused
}

func (*fakeGate) Free() int { return 7 }

// take returns the limits since the last call.
func (g *fakeGate) take() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := g.limits
	g.limits = g.limits[max(0, len(g.limits)-1):]
	return slices.Clone(taken)
}

// TestCallsAreReported calls a shop that answers in every way, and compares the report.
func TestCallsAreReported(t *testing.T) {
	t.Parallel()
	answers := map[string]func(w http.ResponseWriter){
		"taken":   func(http.ResponseWriter) {},
		"refused": func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnprocessableEntity) },
		"limited": func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) },
		"maintenance": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"overloaded": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"gateway":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"error":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"no answer":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	shop := newShop(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { answers[r.Header.Get("Idempotency-Key")](w) })
	shared := &fakeShared{}
	shop.Start()
	b := NewBreaker(newClient(t, Config{URL: shop.URL}), "w1", shared, slog.New(slog.DiscardHandler))
	call := func(ctx context.Context, id string, again bool) {
		a := approval()
		a.Order.ID, a.Again = id, again
		_, _ = b.Fulfil(ctx, a)
	}
	for id := range answers {
		call(t.Context(), id, id == "error" || id == "taken")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	call(stopped, "no answer", false)
	if _, err := b.exchange(t.Context(), 2, 3); err != nil {
		t.Fatal(err)
	}
	got := shared.last()
	if got.Endpoint == "" || got.LastError == "" {
		t.Errorf("the report is of the endpoint %q, with the error %q", got.Endpoint, got.LastError)
	}
	got.Endpoint, got.LastError = "", ""
	want := order.CallReport{Worker: "w1", Taken: 1, Refused: 1, Later: 2, Errors: 1, Unanswered: 3, Again: 1, Unused: 2, Want: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if _, err := b.exchange(t.Context(), 0, 0); err != nil || shared.last().Taken != 0 {
		t.Errorf("the next report is %+v, %v", shared.last(), err)
	}
}

// withBreaker runs a breaker in a bubble, where time is fake.
func withBreaker(t *testing.T, test func(b *Breaker, s *fakeShared, g *fakeGate)) {
	t.Helper()
	t.Parallel()
	client := newClient(t, Config{URL: "http://shop.example"})
	synctest.Test(t, func(t *testing.T) {
		shared, gate := &fakeShared{permit: order.Permit{Calls: -1}}, &fakeGate{}
		b := NewBreaker(client, "w1", shared, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx, gate) }()
		synctest.Wait()
		test(b, shared, gate)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestPermitsReachTheGate checks that nothing is let through before the first answer, that
// the gate is closed while permits are counted, and that orders which were not taken are
// reported.
func TestPermitsReachTheGate(t *testing.T) {
	withBreaker(t, func(b *Breaker, s *fakeShared, g *fakeGate) {
		want := func(when string, limits ...int) {
			t.Helper()
			if got := g.take(); !slices.Equal(got, limits) {
				t.Errorf("%s: the limits are %v, want %v", when, got, limits)
			}
		}
		want("at first", 0, -1)
		s.answer(3, nil)
		pass(reportInterval)
		want("a limit", -1, 3)
		pass(reportInterval)
		want("the next limit", 3, 0, 3)
		if got := s.last(); got.Unused != 3 || got.Want != 7 {
			t.Errorf("the report is %+v", got)
		}
		s.answer(-1, nil)
		pass(reportInterval)
		want("no limit", 3, 0, -1)
		s.answer(1, nil)
		b.count(order.Approval{}, &order.RetryError{Err: errors.New("busy"), Later: true})
		b.kick <- struct{}{}
		synctest.Wait()
		want("at once after the shop asked to be called later", -1, 0, 1)
		if got := s.last(); got.Later != 1 {
			t.Errorf("the report is %+v", got)
		}
	})
}

// TestSharedStateAway checks that a worker goes on as before when the shared state cannot be
// reached, takes one order a second once the shop does not take an order, and reports
// everything once it can.
func TestSharedStateAway(t *testing.T) {
	withBreaker(t, func(b *Breaker, s *fakeShared, g *fakeGate) {
		g.take()
		s.answer(0, order.ErrUnavailable)
		b.count(order.Approval{}, nil)
		pass(aloneAfter - reportInterval)
		if got := g.take(); !slices.Equal(got, []int{-1}) {
			t.Errorf("for a while the limits are %v", got)
		}
		pass(time.Minute)
		if got := g.take(); !slices.Equal(got, []int{-1}) {
			t.Errorf("while the shop takes orders the limits are %v", got)
		}
		b.count(order.Approval{}, errors.New("no answer"))
		pass(3 * time.Second)
		alone := 0
		for _, n := range g.take() {
			if n > 1 || n < -1 {
				t.Errorf("alone, the limit is %d", n)
			}
			if n == 1 {
				alone++
			}
		}
		if alone < 3 {
			t.Errorf("in three seconds %d limits let an order through", alone)
		}
		s.answer(-1, nil)
		pass(reportInterval)
		if got := s.last(); got.Taken != 1 {
			t.Errorf("the report is %+v", got)
		}
		if got := g.take(); got[len(got)-1] != -1 {
			t.Errorf("in the end the limits are %v", got)
		}
	})
}
