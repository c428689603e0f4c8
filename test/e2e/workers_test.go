package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/test/kit"
)

// mixed is one of the many orders of a test: all priorities, and each hundredth
// beyond one of the limits.
func mixed(n int) (o submission, status order.Status) {
	o = sample(fmt.Sprintf("order-%06d", n))
	o.Priority = 1 + n%3
	o.Amount = float64(1+n%2000) + 0.25
	switch n % 100 {
	case 0:
		o.Amount = 10000.01
		return o, "rejected"
	case 1:
		o.Items = slices.Repeat([]string{"tea"}, 51)
		return o, "rejected"
	default:
		return o, "completed"
	}
}

// submitAll sends orders from many clients at once.
func (s *system) submitAll(from, to int) {
	s.t.Helper()
	next := make(chan int)
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for n := range next {
				o, _ := mixed(n)
				s.submit(o)
			}
		})
	}
	for n := from; n < to; n++ {
		next <- n
	}
	close(next)
	clients.Wait()
}

// checkAll wants every order to have the outcome it should.
func (s *system) checkAll(total int) {
	s.t.Helper()
	s.untilProcessed(total)
	var rejected int64
	for n := range total {
		o, want := mixed(n)
		if want == "rejected" {
			rejected++
		}
		if n%7 == 0 || want == "rejected" { // each outcome is counted below; read a part of them
			if got := s.Order(o.ID); got.Status != want {
				s.t.Errorf("%s is %s, want %s", o.ID, got.Status, want)
			}
		}
	}
	st := s.Stats()
	if st.TotalProcessed != int64(total) || st.ErrorCount != rejected || st.SuccessCount != int64(total)-rejected ||
		st.Ledger.Accepted != int64(total) || st.Ledger.Drift != 0 {
		s.t.Errorf("stats after %d orders, %d of them to be rejected: %+v", total, rejected, st)
	}
}

// TestTwoWorkers works 10,000 mixed orders of all priorities with two workers and one API.
func TestTwoWorkers(t *testing.T) { bothWays(t, testTwoWorkers) }

func testTwoWorkers(t *testing.T, s *system) {
	t.Helper()
	const total = 10_000
	s.worker()
	s.worker()
	begun := time.Now()
	s.submitAll(0, total)
	s.checkAll(total)
	t.Logf("%d orders in %v; %+v", total, time.Since(begun).Round(time.Millisecond), s.Stats())
}

// TestWorkerStopsInTheMiddle ends one of two workers with SIGTERM while both
// are busy: nothing is lost and the shop is called for no order twice.
func TestWorkerStopsInTheMiddle(t *testing.T) { bothWays(t, testWorkerStopsInTheMiddle) }

func testWorkerStopsInTheMiddle(t *testing.T, s *system) {
	t.Helper()
	const total = 3000
	shop := openShop(t, func(string, int) int {
		time.Sleep(5 * time.Millisecond) // the shop's own work
		return http.StatusOK
	})
	first := s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_WORKER_CONCURRENCY=16")
	s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_WORKER_CONCURRENCY=16")
	go s.submitAll(0, total)
	s.until("some orders are settled", func() bool { return s.Stats().TotalProcessed > total/10 })
	first.Stop()
	s.checkAll(total)
	if st := s.Stats(); st.Ledger.Attempts != total {
		t.Errorf("%d orders took %d attempts", total, st.Ledger.Attempts)
	}
	for n := range total {
		o, want := mixed(n)
		calls := map[order.Status]int{"completed": 1, "rejected": 0}[want]
		if got := shop.called(o.ID); got != calls {
			t.Errorf("the shop was called %d times for %s, want %d", got, o.ID, calls)
		}
	}
}

// TestRedisAwayAndBack freezes Redis while orders come in: clients are refused
// in time, and everything recovers without help.
func TestRedisAwayAndBack(t *testing.T) {
	s := start(t)
	s.worker()
	s.submitAll(0, 50)
	// A worker that is fetching an order when Redis stops may lose the answer,
	// and that order then waits for its lease: more than a minute. Not here.
	s.untilProcessed(50)
	s.redis.Freeze()
	begun := time.Now()
	got, err := s.Ask("POST", "/orders", sample("while-away").json())
	if err != nil || got.Code != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("POST with Redis away answered %d: %s", got.Code, got.Body)
	}
	// Two seconds are promised, which the tests of package api check.
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the refusal took %v", took)
	}
	if code := s.Send("GET", "/health", "").Code; code != http.StatusServiceUnavailable {
		t.Errorf("GET /health with Redis away answered %d", code)
	}
	s.redis.Thaw()
	s.until("the API serves again", func() bool {
		code := s.Send("POST", "/orders", sample("while-away").json()).Code
		return code == http.StatusCreated || code == http.StatusOK
	})
	s.settled("while-away")
	s.submitAll(50, 100)
	s.untilProcessed(101)
}

// TestStartWithoutRedis starts a worker before its Redis.
func TestStartWithoutRedis(t *testing.T) {
	s := start(t)
	s.redis.Kill()
	w := s.spawn("worker")
	w.Await(`"msg":"waiting for Redis`)
	s.redis.Restart()
	s.until("the worker is alive", func() bool {
		var st kit.Stats
		return s.Get("/stats", &st) == nil && st.ActiveWorkers > 0
	})
	w.Stop()
}

// TestExitStatus checks the exit statuses of the programs.
func TestExitStatus(t *testing.T) {
	s := start(t)
	wrong := s.spawn("worker", "ORDERS_WORKER_CONCURRENCY=none", "ORDERS_TYPO=1")
	if code := wrong.Exit(); code != 2 {
		t.Errorf("wrong configuration exits with %d:\n%s", code, wrong.Tail())
	}
	wrong.Await("ORDERS_TYPO")
	wrong.Await("ORDERS_WORKER_CONCURRENCY")

	s.admin.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru")
	evicting := s.spawn("worker")
	if code := evicting.Exit(); code != 1 {
		t.Errorf("a Redis that evicts makes the worker exit with %d:\n%s", code, evicting.Tail())
	}
	evicting.Await("maxmemory-policy")
	s.admin.ConfigSet(t.Context(), "maxmemory-policy", "noeviction")
	s.api.Stop()
}

// TestSecondSignal quits a worker that would rather finish its order.
func TestSecondSignal(t *testing.T) {
	block := make(chan struct{})
	shop := openShop(t, func(string, int) int {
		<-block
		return http.StatusOK
	})
	s := start(t)
	t.Cleanup(func() { close(block) })
	w := s.worker("ORDERS_FULFILMENT_URL=" + shop.url)
	s.submit(sample("slow"))
	s.until("the order is with the shop", func() bool { return shop.called("slow") == 1 })
	w.Signal(syscall.SIGTERM)
	w.Await(`"msg":"stopping on a signal`)
	w.Signal(syscall.SIGTERM)
	if code := w.Exit(); code != 1 {
		t.Errorf("the second signal made it exit with %d", code)
	}
}
