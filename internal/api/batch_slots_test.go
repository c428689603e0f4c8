package api

import "testing"

// TestBatchSlots checks how many batches there may be at once, and that no caller can use
// all slots where callers have keys.
func TestBatchSlots(t *testing.T) {
	t.Parallel()
	s, alone := newBatchSlots(), newBatchSlots()
	for _, row := range []struct {
		slots  *batchSlots
		caller string
		keyed  bool
		want   int
	}{{alone, "", false, maxBatches}, {s, "a", true, maxBatchesOfKey}, {s, "b", true, maxBatchesOfKey}, {s, "c", true, 0}} {
		n := 0
		for row.slots.acquire(row.caller, row.keyed) {
			n++
		}
		if n != row.want {
			t.Errorf("caller %q has %d slots, want %d", row.caller, n, row.want)
		}
	}
	s.release("a")
	if !s.acquire("c", true) || s.acquire("a", true) {
		t.Error("a released slot is not free for another caller, once")
	}
}
