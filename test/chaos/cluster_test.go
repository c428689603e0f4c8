package chaos_test

import (
	"strconv"
	"testing"
	"time"

	"orderprocessor/internal/redistest"
)

// openCluster opens a system with so many books on a Redis Cluster.
func openCluster(t *testing.T, name string, books int, settings ...string) (*system, *redistest.Cluster) {
	t.Helper()
	s := openWithout(t, name)
	s.more = []string{"ORDERS_BOOKS=" + strconv.Itoa(books)}
	c := redistest.StartCluster(t, append([]string{"--appendonly", "yes", "--appendfsync", "everysec"}, settings...)...)
	s.rdb, s.redisURL = c.Client(), c.URL()
	return s, c
}

// TestClusterMasterKilled kills the master of the only book under load, for good. It has two
// replicas, so that each write can reach a replica of the one that takes its place.
func TestClusterMasterKilled(t *testing.T) {
	s, c := openCluster(t, "m a master of a Cluster is killed", 1, "--min-replicas-to-write", "1")
	master := c.Owner(book)
	c.Replicate(c.AddNode(), master)
	s.addAPIs(1)
	s.addWorkers(2)
	var killed, well time.Time
	s.whileSubmitting(16, shortOrLong(100, 400), mixed, func() {
		s.awaitCalls(shortOrLong(100, 4000) + s.rand.IntN(100))
		s.faults.Add(1)
		c.InStep(master)
		killed = time.Now()
		master.Kill()
		promoted := c.AwaitFailover(master, book)
		s.until("the book takes writes", func() bool { return promoted.Redis.Del(t.Context(), book+"w").Err() == nil })
		well = time.Now()
		s.awaitCalls(shortOrLong(100, 4000))
	})
	a := s.conclude()
	a.checkKinds("200", "201", "503")
	a.checkFollowed(killed, well)
}

// checkFollowed wants clients to be refused, and the workers to wait, hardly longer than
// the Cluster was not well.
func (a *audit) checkFollowed(killed, well time.Time) {
	a.s.t.Helper()
	last, called := time.Duration(0), time.Hour
	for _, try := range a.refusals() {
		last = max(last, try.At.Add(try.Took).Sub(killed))
	}
	for _, c := range a.s.shop.journal.all() {
		if c.At.After(well) {
			called = min(called, c.At.Sub(killed))
		}
	}
	a.s.t.Logf("the Cluster was well again after %v, orders were refused for %v and worked again after %v",
		well.Sub(killed).Round(time.Millisecond), last.Round(time.Millisecond), called.Round(time.Millisecond))
	if late := max(last, called) - well.Sub(killed); late > followedWithin() {
		a.s.t.Errorf("the programs followed the Cluster after %v, want %v", late, followedWithin())
	}
}

// followedWithin is how long after the Cluster the programs are well again: two seconds, or
// a little more when commands hang, and ten times that on any machine with other scenarios
// running.
func followedWithin() time.Duration { return shortOrLong(25*time.Second, 2500*time.Millisecond) }
