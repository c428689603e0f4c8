package api

import "testing"

// TestBatchPlaces holds how many batches there may be at once, and that no caller
// holds all places where callers are told apart.
func TestBatchPlaces(t *testing.T) {
	t.Parallel()
	fill := func(p *batchPlaces, caller string, apart bool) (n int) {
		for p.enter(caller, apart) {
			n++
		}
		return n
	}
	p := &batchPlaces{byCaller: map[string]int{}}
	if n := fill(p, "", false); n != maxBatches {
		t.Errorf("one caller alone has %d places", n)
	}
	p = &batchPlaces{byCaller: map[string]int{}}
	for caller, want := range map[string]int{"a": maxBatchesOfKey, "b": maxBatchesOfKey} {
		if n := fill(p, caller, true); n != want {
			t.Errorf("%s has %d places", caller, n)
		}
	}
	if n := fill(p, "c", true); n != 0 {
		t.Errorf("%d places are left for c", n)
	}
	p.leave("a")
	if n := fill(p, "c", true); n != 1 {
		t.Errorf("%d places are left for c after one left", n)
	}
}

// TestPathOf finds the path in every form that a target may have.
func TestPathOf(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/orders/batch": "/orders/batch", "/orders/batch?a=b": "/orders/batch", "/orders/batch#x": "/orders/batch",
		"http://host:1/orders/batch?x": "/orders/batch", "http://host": "/", "/a?b=http://c/orders/batch": "/a", "*": "*", "": "",
	} {
		if got := pathOf(target); got != want {
			t.Errorf("%q has the path %q, want %q", target, got, want)
		}
	}
}
