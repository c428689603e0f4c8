package chaos_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// clusterBooks is how many books the scenarios with several books have. Whichever of three
// masters is away, two of them at least have nothing on it.
const clusterBooks = 8

// bookSlots returns a key in each slot of one of several books: of its records, and of each
// of its queues.
func bookSlots(n int) []string {
	slots := []string{fmt.Sprintf("%s%d}:", bookStart, n)}
	for _, q := range order.Queues() {
		slots = append(slots, fmt.Sprintf("%s%s-%02d}", queueStart, q, n))
	}
	return slots
}

// TestClusterBooksMasterKilled kills one of three masters under load.
func TestClusterBooksMasterKilled(t *testing.T) {
	loseMasterOfSome(t, "n a master of a Cluster with several books is killed", (*redistest.Node).Kill)
}

// TestClusterBooksMasterFrozen stops it instead, as when a machine is gone.
func TestClusterBooksMasterFrozen(t *testing.T) {
	loseMasterOfSome(t, "n a master of a Cluster with several books is stopped", (*redistest.Node).Freeze)
}

// loseMasterOfSome loses one of three masters under load. The orders of the books that have
// nothing on it are accepted and worked while it is away, without an error. When a replica
// takes its place the others go on.
func loseMasterOfSome(t *testing.T, name string, lose func(*redistest.Node)) {
	t.Helper()
	s, c := openCluster(t, name, clusterBooks, "--min-replicas-to-write", "1")
	master := c.Masters()[s.rand.IntN(len(c.Masters()))]
	c.Replicate(c.AddNode(), master)
	replicas := c.Replicas(master)
	for _, replica := range replicas { // until other orders were worked
		replica.SetConfig("cluster-replica-no-failover", "yes")
	}
	concerned, key := slotsOn(c, master)
	there := func(id string) bool { return slices.Contains(concerned, order.BookOf(id, clusterBooks)) }
	elsewhere := func(id string) bool { return !there(id) }
	s.addAPIs(1)
	s.addWorkers(2)
	var o outage
	some := shortOrLong(50, 2000)
	s.whileSubmitting(8, shortOrLong(50, 200), ordersOf(elsewhere), func() {
		s.whileSubmitting(8, shortOrLong(50, 200), ordersOf(there), func() {
			begun := time.Now()
			s.awaitWorked(some, elsewhere, begun)
			s.awaitWorked(some, there, begun)
			s.faults.Add(1)
			c.InStep(master)
			o.from = time.Now()
			lose(master)
			s.awaitWorked(some, elsewhere, o.from)
			for _, replica := range replicas {
				replica.SetConfig("cluster-replica-no-failover", "no")
			}
			c.AwaitFailover(master, key)
			o.to = time.Now()
			s.awaitWorked(some, there, o.to)
		})
	})
	t.Logf("a master with a part of %d of %d books was away for %v", len(concerned), clusterBooks, o.to.Sub(o.from).Round(time.Millisecond))
	a := s.conclude()
	a.checkKinds("200", "201", "503")
	a.checkGoOn(elsewhere, o)
	a.checkFollowed(o.from, o.to)
}

// slotsOn returns the books that have a slot on a master, and a key of one.
func slotsOn(c *redistest.Cluster, master *redistest.Node) (books []int, found string) {
	for n := range clusterBooks {
		for _, key := range bookSlots(n) {
			if c.Owner(key) == master {
				books, found = append(books, n), key
				break
			}
		}
	}
	return books, found
}

// ordersOf returns the orders that match, of all there are.
func ordersOf(match func(id string) bool) func(int) submission {
	var mu sync.Mutex
	next := 0
	return func(int) submission {
		mu.Lock()
		defer mu.Unlock()
		for {
			o := mixed(next)
			next++
			if match(o.ID) {
				return o
			}
		}
	}
}

// awaitWorked waits until the shop was called for so many orders that match and were first
// sent after a moment.
func (s *system) awaitWorked(n int, match func(id string) bool, since time.Time) {
	s.t.Helper()
	s.until("orders are worked", func() bool { return len(s.worked(match, since, time.Now())) >= n })
}

// worked returns the orders that match, were first sent between two moments, and are worked:
// how long it took until the shop was called.
func (s *system) worked(match func(id string) bool, from, to time.Time) (took []time.Duration) {
	sent := map[string]time.Time{}
	for _, try := range s.client.journal.all() {
		if before, ok := sent[try.ID]; match(try.ID) && (!ok || try.At.Before(before)) {
			sent[try.ID] = try.At
		}
	}
	for _, c := range s.shop.journal.all() {
		if at, ok := sent[c.ID]; ok && at.After(from) && at.Before(to) {
			took = append(took, c.At.Sub(at))
			delete(sent, c.ID)
		}
	}
	slices.Sort(took)
	return took
}

// checkGoOn wants the orders that match to have been served without an error, and logs how
// long they took before the outage and during it.
func (a *audit) checkGoOn(match func(id string) bool, o outage) {
	a.s.t.Helper()
	for id, sent := range a.sent {
		if match(id) && sent.badlyServed() {
			a.s.t.Errorf("order %s is in a book that was not away: %d connections broke, %d answers were 5xx, accepted without an answer: %v",
				id, sent.broken, sent.refusedBusy, sent.silent)
		}
	}
	for _, span := range []struct {
		name     string
		from, to time.Time
	}{{"before", time.Time{}, o.from}, {"while", o.from, o.to}} {
		var answered []time.Duration
		for _, try := range a.s.client.journal.all() {
			if match(try.ID) && try.At.After(span.from) && try.At.Before(span.to) {
				answered = append(answered, try.Took)
			}
		}
		slices.Sort(answered)
		called := a.s.worked(match, span.from, span.to)
		a.s.t.Logf("orders of other books %s the master was away: answered after p50 %v, p99 %v (%d); at the shop after p50 %v, p99 %v, max %v", span.name,
			percentile(answered, 50), percentile(answered, 99), len(answered), percentile(called, 50), percentile(called, 99), percentile(called, 100))
	}
}
