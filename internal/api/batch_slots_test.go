package api

import "testing"

// TestBatchSlots holds how many batches there may be at once, and that no caller uses all
// slots where callers have keys.
func TestBatchSlots(t *testing.T) {
	t.Parallel()
	fill := func(s *batchSlots, caller string, keyed bool) (n int) {
		for s.acquire(caller, keyed) {
			n++
		}
		return n
	}
	if n := fill(newBatchSlots(), "", false); n != maxBatches {
		t.Errorf("one caller alone has %d slots", n)
	}
	s := newBatchSlots()
	for caller, want := range map[string]int{"a": maxBatchesOfKey, "b": maxBatchesOfKey} {
		if n := fill(s, caller, true); n != want {
			t.Errorf("%s has %d slots", caller, n)
		}
	}
	if n := fill(s, "c", true); n != 0 {
		t.Errorf("%d slots are left for c", n)
	}
	s.release("a")
	if n := fill(s, "c", true); n != 1 {
		t.Errorf("%d slots are left for c after one was released", n)
	}
}
