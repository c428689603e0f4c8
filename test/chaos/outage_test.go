package chaos_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// outage is a time in which Redis or the shop could not be used.
type outage struct{ from, to time.Time }

// whileSubmitting does something while clients send orders, together so many a second at
// most, each of them one after the other. It returns how many orders they sent.
func (s *system) whileSubmitting(clients, perSecond int, nth func(n int) submission, do func()) int {
	s.t.Helper()
	ctx, enough := context.WithCancel(s.t.Context())
	defer enough()
	var next atomic.Int64
	var sending sync.WaitGroup
	defer sending.Wait()
	pause := time.Second * time.Duration(clients) / time.Duration(perSecond)
	for range clients {
		sending.Go(func() {
			for ctx.Err() == nil {
				s.client.submit(nth(int(next.Add(1)) - 1))
				wait(pause)
			}
		})
	}
	do()
	enough()
	sending.Wait()
	return int(next.Load())
}

// checkKinds wants clients to have had no other answers than these.
func (a *audit) checkKinds(allowed ...string) {
	a.s.t.Helper()
	all, others := map[string]int{}, map[string]int{}
	for _, try := range a.s.client.journal.all() {
		all[try.Kind]++
		if !slices.Contains(allowed, try.Kind) {
			others[try.Kind]++
		}
	}
	a.s.t.Logf("answers: %v", all)
	if len(others) > 0 {
		a.s.t.Errorf("clients had other answers than %v: %v", allowed, others)
	}
}

// checkOutages wants clients to have been refused only while Redis was down, in
// time, and orders to be accepted and worked again soon after.
func (a *audit) checkOutages(outages []outage) {
	a.s.t.Helper()
	a.checkKinds("200", "201", "503")
	for _, try := range a.refusals() {
		if !during(outages, try) && try.Took < redisTime {
			a.s.t.Errorf("an order was refused at %v, while Redis was up", try.At)
		}
	}
	for _, o := range outages {
		a.checkHealed(o)
	}
}

// refusals returns the tries that were answered 503, and wants them to be answered in
// time.
func (a *audit) refusals() (refused []sending) {
	a.s.t.Helper()
	var took []time.Duration
	for _, try := range a.s.client.journal.all() {
		if try.Kind == "503" {
			refused, took = append(refused, try), append(took, try.Took)
		}
	}
	slices.Sort(took)
	p99 := percentile(took, 99)
	a.s.t.Logf("%d orders were refused, after p50 %v, p99 %v, max %v", len(took), percentile(took, 50), p99, percentile(took, 100))
	if p99 > refusedWithin() {
		a.s.t.Errorf("99 of 100 orders were refused within %v, want %v", p99, refusedWithin())
	}
	return refused
}

// during reports whether the answer came from an outage, or from the healing of one.
func during(outages []outage, try sending) bool {
	return slices.ContainsFunc(outages, func(o outage) bool {
		return try.At.Add(try.Took).After(o.from) && try.At.Before(o.to.Add(10*time.Second))
	})
}

// checkHealed wants an order to be accepted and one to be handed to the shop soon
// after the outage.
func (a *audit) checkHealed(o outage) {
	a.s.t.Helper()
	accepted, called := time.Hour, time.Hour
	for _, try := range a.s.client.journal.all() {
		if at := try.At.Add(try.Took); at.After(o.to) && try.Kind == "201" {
			accepted = min(accepted, at.Sub(o.to))
		}
	}
	for _, c := range a.s.shop.journal.all() {
		if c.At.After(o.to) {
			called = min(called, c.At.Sub(o.to))
		}
	}
	a.s.t.Logf("after an outage of %v, orders were accepted within %v and worked within %v",
		o.to.Sub(o.from).Round(time.Millisecond), accepted.Round(time.Millisecond), called.Round(time.Millisecond))
	if accepted > healedWithin() || called > healedWithin() {
		a.s.t.Errorf("after an outage of %v, orders were accepted within %v and worked within %v, want %v",
			o.to.Sub(o.from), accepted, called, healedWithin())
	}
}

// healedWithin is the time after an outage in which everything goes on: ten
// seconds, and ten times that on any machine with other scenarios running.
func healedWithin() time.Duration { return shortOrLong(100*time.Second, 10*time.Second) }

// refusedWithin is the time within which clients are refused while Redis is down: two
// seconds, and ten times that on any machine with other scenarios running.
func refusedWithin() time.Duration { return shortOrLong(20*time.Second, 2500*time.Millisecond) }
