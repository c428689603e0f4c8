package chaos_test

import (
	"testing"
	"time"

	"orderprocessor/internal/redistest"
)

// openCluster opens a system on a Redis Cluster.
func openCluster(t *testing.T, name string, settings ...string) (*system, *redistest.Cluster) {
	t.Helper()
	s := openWithout(t, name)
	c := redistest.StartCluster(t, append([]string{"--appendonly", "yes", "--appendfsync", "everysec"}, settings...)...)
	s.rdb, s.redisURL = c.Client(), c.URL()
	return s, c
}

// TestClusterMasterKilled kills the master of the books under load, for good. Clients are
// refused at once.
func TestClusterMasterKilled(t *testing.T) {
	loseMaster(t, "m a master of a Cluster is killed", (*redistest.Node).Kill)
}

// TestClusterMasterFrozen stops it instead, as when a machine is gone: commands hang.
func TestClusterMasterFrozen(t *testing.T) {
	loseMaster(t, "m a master of a Cluster is stopped", (*redistest.Node).Freeze)
}

// loseMaster loses the master of the books under load. It has two replicas, so that each
// write can reach a replica of the one that takes its place.
func loseMaster(t *testing.T, name string, lose func(*redistest.Node)) {
	t.Helper()
	s, c := openCluster(t, name, "--min-replicas-to-write", "1")
	master := c.Owner(book)
	c.Replicate(c.AddNode(), master)
	s.addAPIs(1)
	s.addWorkers(2)
	var lost, well time.Time
	s.whileSubmitting(16, shortOrLong(100, 400), mixed, func() {
		s.awaitCalls(shortOrLong(100, 4000) + s.rand.IntN(100))
		s.faults.Add(1)
		c.InStep(master)
		lost = time.Now()
		lose(master)
		promoted := c.AwaitFailover(master, book)
		t.Logf("a replica was promoted %v later", time.Since(lost).Round(time.Millisecond))
		s.until("the books take writes", func() bool { return promoted.Redis.Del(t.Context(), book+"w").Err() == nil })
		well = time.Now()
		s.awaitCalls(shortOrLong(100, 4000))
	})
	a := s.conclude()
	a.checkKinds("200", "201", "503")
	a.checkFollowed(lost, well)
}

// checkFollowed wants clients to be refused, and the workers to wait, hardly longer than
// the Cluster was not well.
func (a *audit) checkFollowed(lost, well time.Time) {
	a.s.t.Helper()
	last, called := time.Duration(0), time.Hour
	for _, try := range a.refusals() {
		last = max(last, try.At.Add(try.Took).Sub(lost))
	}
	for _, c := range a.s.shop.journal.all() {
		if c.At.After(well) {
			called = min(called, c.At.Sub(lost))
		}
	}
	a.s.t.Logf("the Cluster was well again after %v, orders were refused for %v and worked again after %v",
		well.Sub(lost).Round(time.Millisecond), last.Round(time.Millisecond), called.Round(time.Millisecond))
	if late := max(last, called) - well.Sub(lost); late > followedWithin() {
		a.s.t.Errorf("the programs followed the Cluster after %v, want %v", late, followedWithin())
	}
}

// followedWithin is how long after the Cluster the programs are well again: two seconds,
// and ten times that on any machine with other scenarios running.
func followedWithin() time.Duration { return shortOrLong(20*time.Second, 2*time.Second) }
