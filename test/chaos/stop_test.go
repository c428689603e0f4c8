package chaos_test

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestStoppedUnderLoad ends APIs and workers in turn with SIGTERM while orders
// come in: nobody notices.
func TestStoppedUnderLoad(t *testing.T) {
	s := open(t, "3 programs are told to stop")
	s.addAPIs(2)
	s.addWorkers(2)
	s.whileSendingSteadily(100, func() {
		for n := range shortOrLong(5, 100) {
			from := [][]*instance{s.apis, s.workers}[n%2]
			l := from[s.rand.IntN(len(from))]
			s.awaitCalls(50)
			l.stop()
			l.restart()
		}
	})
	a := s.conclude()
	a.checkService()
	a.checkAttempts()
}

// TestRollingRestart restarts two APIs and three workers one after the other at a
// constant rate of orders: nobody notices.
func TestRollingRestart(t *testing.T) {
	s := open(t, "4 a rolling restart")
	s.addAPIs(2)
	s.addWorkers(3)
	rate := shortOrLong(200, 500)
	s.whileSendingSteadily(rate, func() {
		for range shortOrLong(1, 5) {
			for _, l := range append(append([]*instance(nil), s.apis...), s.workers...) {
				s.awaitCalls(rate)
				l.stop()
				l.restart()
			}
		}
		s.awaitCalls(rate)
	})
	a := s.conclude()
	a.checkService()
	a.checkAttempts()
}

// whileSendingSteadily does something while orders come in at a constant rate, and wants
// all of them to be recorded.
func (s *system) whileSendingSteadily(perSecond int, do func()) {
	s.t.Helper()
	ctx, enough := context.WithCancel(s.t.Context())
	defer enough()
	var sent int
	var sending sync.WaitGroup
	begun := time.Now()
	sending.Go(func() { sent = s.client.submitSteadily(ctx, perSecond, mixed) })
	do()
	enough()
	sending.Wait()
	took := time.Since(begun)
	s.t.Logf("%d orders in %v, %.0f a second", sent, took.Round(time.Second), float64(sent)/took.Seconds())
	if v, ok := s.stats(); !ok || v.Ledger.Accepted != int64(sent) {
		s.t.Errorf("%d orders were sent, the statistics say %d", sent, v.Ledger.Accepted)
	}
}

// awaitCalls waits until the shop has had so many more calls.
func (s *system) awaitCalls(calls int) {
	s.t.Helper()
	until := s.shop.called("") + calls
	s.until("orders flow", func() bool { return s.shop.called("") >= until })
}
