package chaos_test

import (
	"slices"
	"testing"
	"time"

	"orderprocessor/internal/redistest"
)

// TestClusterSlotsMove moves the slots of a book and of its queues to other masters under
// load, and then to a node that has just joined. While the slot of a book moves, Redis
// refuses the scripts that find some of their keys on each of both nodes.
func TestClusterSlotsMove(t *testing.T) {
	s, c := openCluster(t, "n slots of a Cluster move", clusterBooks)
	s.addAPIs(1)
	s.addWorkers(2)
	masters := c.Masters()
	s.whileSubmitting(16, shortOrLong(100, 400), mixed, func() {
		for _, key := range bookSlots(0) {
			other := masters[(slices.Index(masters, c.Owner(key))+1)%len(masters)]
			s.moveSlot(c, key, other)
		}
		fresh := c.AddNode()
		for _, key := range append(bookSlots(0), bookSlots(1)...) {
			s.moveSlot(c, key, fresh)
		}
	})
	a := s.conclude()
	a.checkKinds("200", "201", "503")
	a.refusals()
}

// moveSlot moves a slot once it has something to move.
func (s *system) moveSlot(c *redistest.Cluster, key string, to *redistest.Node) {
	s.t.Helper()
	s.awaitCalls(shortOrLong(20, 1000))
	s.faults.Add(1)
	begun := time.Now()
	c.Move(key, to)
	s.t.Logf("the slot of %s moved in %v", key, time.Since(begun).Round(time.Millisecond))
}
