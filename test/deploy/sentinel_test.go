package deploy_test

import (
	"fmt"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
	"orderprocessor/test/kit"
)

// TestSentinel starts three Redis servers and three Sentinels from the examples,
// kills the primary while orders are worked, and checks that the programs follow
// and that no accepted order is lost.
func TestSentinel(t *testing.T) {
	t.Parallel()
	c := kit.StartSentinels(t)
	f := startSystem(t, 2, "REDIS_URL="+c.URL)
	const each = 100
	for n := range each {
		f.submit(fmt.Sprintf("before-%d", n))
	}
	// A primary loses what it has not replicated. So all of it is replicated first.
	if n := c.Clients[0].Wait(t.Context(), 2, programtest.Patience).Val(); n != 2 {
		t.Fatalf("%d replicas have what the primary has", n)
	}
	c.Nodes[0].Kill()
	killed := time.Now()
	f.submit("after-0")
	t.Logf("the first order after the failover was accepted %v after the kill", time.Since(killed).Round(time.Millisecond))
	for n := range each {
		f.submit(fmt.Sprintf("after-%d", n))
	}
	for n := range each {
		f.settle(fmt.Sprintf("before-%d", n))
		f.settle(fmt.Sprintf("after-%d", n))
	}
	c.Promoted(t)
	if got := f.Stats().Ledger; got.Drift != 0 || got.Accepted != 2*each {
		t.Errorf("the books do not balance: %+v", got)
	}
}
