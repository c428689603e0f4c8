package chaos_test

import (
	"testing"
	"time"

	"orderprocessor/test/kit"
)

// unreplicated is how many findings a failover may leave, where replication is
// asynchronous: Redis answers before a replica has the write, and a kill between
// the two loses it. One order of some 300,000 is what that comes to.
const unreplicated = 3

// TestFailover kills the master under load, and Sentinels make a replica the new
// one. Clients have 503 meanwhile and nothing else. What was written in the
// moment of the kill may be lost, as replication is asynchronous and nobody waits
// for it; the findings that this makes are in the table and are bounded here.
func TestFailover(t *testing.T) {
	s := open(t, "l failover by Sentinel, asynchronous")
	w := kit.StartSentinels(t, "down-after-milliseconds orders 5000", "down-after-milliseconds orders "+shortOrLong("5000", "1000"),
		"failover-timeout orders 30000", "failover-timeout orders 5000")
	s.redisURL, s.rdb = w.URL, w.Clients[0]
	s.addAPIs(1)
	s.addWorkers(2)
	var killed time.Time
	s.whileSubmitting(16, shortOrLong(100, 400), mixed, func() {
		s.awaitCalls(shortOrLong(100, 4000) + s.rand.IntN(100))
		s.faults.Add(1)
		killed = time.Now()
		w.Nodes[0].Kill()
		s.rdb = w.Promoted(t)
		t.Logf("a replica was promoted %v after the kill", time.Since(killed).Round(time.Millisecond))
		s.awaitCalls(shortOrLong(100, 4000))
	})
	a := s.concludeWith(unreplicated)
	a.checkKinds("200", "201", "503")
	a.checkFailover(killed, shortOrLong(2*time.Minute, 6*time.Second))
}

// checkFailover wants clients to have been refused for so long at most.
func (a *audit) checkFailover(killed time.Time, within time.Duration) {
	a.s.t.Helper()
	last := time.Duration(0)
	for _, try := range a.refusals() {
		last = max(last, try.at.Add(try.took).Sub(killed))
	}
	a.s.t.Logf("the last order was refused %v after the kill", last.Round(time.Millisecond))
	if last > within {
		a.s.t.Errorf("clients were refused until %v after the kill, want %v", last, within)
	}
}
