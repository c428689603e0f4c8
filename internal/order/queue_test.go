package order_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestQueues holds the names that clients know, and that each queue is complete.
func TestQueues(t *testing.T) {
	t.Parallel()
	want := []order.Queue{"critical", "default", "low"}
	if diff := cmp.Diff(want, order.Queues()); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[order.Queue]int{"critical": 6, "default": 3, "low": 1}, order.QueueWeights()); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	last := int64(100)
	for _, s := range order.QueueSpecs() {
		if s.Weight <= 0 || s.MemoryPercent <= 0 || s.MemoryPercent > last {
			t.Errorf("queue %+v has no weight, or more memory than a more urgent one", s)
		}
		last = s.MemoryPercent
		if s != s.Name.Spec() {
			t.Errorf("queue %s is described as %+v", s.Name, s.Name.Spec())
		}
	}
	if got := order.Queue("none").Spec(); got != (order.QueueSpec{Name: "none"}) {
		t.Errorf("a queue that does not exist is described as %+v", got)
	}
}

// TestPriorityQueue holds that every valid priority has a queue, and no other has one.
func TestPriorityQueue(t *testing.T) {
	t.Parallel()
	want := map[order.Priority]order.Queue{
		-1: "", 0: "", order.PriorityHigh: "critical", order.PriorityMedium: "default", order.PriorityLow: "low", 9: "",
	}
	for p, q := range want {
		if got := p.Queue(); got != q {
			t.Errorf("priority %d waits in %q, want %q", p, got, q)
		}
		if valid := slices.Contains(order.Priorities(), p); valid != (q != "") || valid != (p.Name() != "") {
			t.Errorf("priority %d in the queue %q is named %q, valid %t", p, q, p.Name(), valid)
		}
	}
}
