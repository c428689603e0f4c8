package redistest_test

import (
	"strconv"
	"testing"

	"orderprocessor/internal/redistest"
)

// TestCluster takes a Cluster through what tests do with it, and wants every key to stay.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, "--appendonly", "yes")
	rdb := c.Client()
	set := func(value string) {
		t.Helper()
		for n := range 100 { // in slots of all nodes, and a hundred in one slot
			for _, key := range []string{strconv.Itoa(n), "{tea}" + strconv.Itoa(n)} {
				if err := rdb.Set(t.Context(), key, value, 0).Err(); err != nil {
					t.Fatalf("write %s: %v", key, err)
				}
			}
		}
	}
	check := func(want string) {
		t.Helper()
		for n := range 100 {
			for _, key := range []string{strconv.Itoa(n), "{tea}" + strconv.Itoa(n)} {
				if got := rdb.Get(t.Context(), key).Val(); got != want {
					t.Fatalf("%s is %q, want %q", key, got, want)
				}
			}
		}
	}

	set("first")
	fourth := c.AddNode()
	c.Move("{tea}", fourth)
	if owner := c.Owner("{tea}"); owner != fourth {
		t.Errorf("%s has the slot that moved to %s", owner.Addr, fourth.Addr)
	}
	check("first")
	c.Move("{tea}", c.Nodes()[0])
	check("first")

	first := c.Nodes()[0]
	first.Kill()
	promoted := c.AwaitFailover(first, "{tea}")
	set("second")
	first.Restart()
	c.AwaitReplica(promoted)
	check("second")
}
