package api

import "testing"

// TestSlots checks how many slots there are, and that no caller can use
// all slots where callers have keys.
func TestSlots(t *testing.T) {
	t.Parallel()
	s, alone := newSlots(8, 4), newSlots(8, 4)
	for _, row := range []struct {
		slots  *slots
		caller string
		keyed  bool
		want   int
	}{{alone, "", false, 8}, {s, "a", true, 4}, {s, "b", true, 4}, {s, "c", true, 0}} {
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
