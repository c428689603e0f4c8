package scenario_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// What the model of docs/PERFORMANCE.md takes for given. The first figure is the row
// "16 books on three nodes, CPU of Redis per order" of the scenario books, the second that of
// the scenario memory for a finished order.
const (
	redisPerOrder = 278e-6 // seconds
	bytesPerOrder = 900
	// ofBook is the part of that time that the slot of the book takes; the slot of the queue
	// takes the rest.
	ofBook = 0.6
	// A node has a core and 16 GB for Redis, of which this much is used.
	ofCore, nodeBytes, ofMemory = 0.7, 16e9, 0.6
	slots                       = 16384
)

// TestNodes computes what nodes carry, from where Redis Cluster puts books and queues when
// nodes have equal numbers of slots, and wants each line of it in docs/PERFORMANCE.md.
func TestNodes(t *testing.T) {
	t.Parallel()
	slotOf := slotsOf(t)
	doc, err := os.ReadFile("../../docs/PERFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ nodes, books int }{{3, 16}, {3, 32}, {3, 64}, {8, 16}, {8, 32}, {8, 64}, {16, 16}, {16, 32}, {16, 64}} {
		kept, worked := make([]float64, row.nodes), make([]float64, row.nodes)
		nodeOf := func(tag string) int { return slotOf(tag) * row.nodes / slots }
		for book := range row.books {
			n := nodeOf(fmt.Sprintf("{b%d}", book))
			kept[n]++
			worked[n] += ofBook
			for queue, part := range map[order.Queue]float64{order.QueueCritical: 0.2, order.QueueDefault: 0.5, order.QueueLow: 0.3} {
				worked[nodeOf(fmt.Sprintf("{%s-%02d}", queue, book))] += (1 - ofBook) * part
			}
		}
		of := func(shares []float64) float64 { return slices.Max(shares) * float64(row.nodes) / float64(row.books) }
		line := carries(row.nodes, row.books, of(kept), of(worked))
		t.Log(line)
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/PERFORMANCE.md has no line %s", line)
		}
	}
}

// carries is the line for nodes of which the busiest one has so many times the mean of the
// orders, and of the work.
func carries(nodes, books int, kept, worked float64) string {
	rate := float64(nodes) * ofCore / redisPerOrder / worked
	orders := float64(nodes) * ofMemory * nodeBytes / bytesPerOrder / kept
	return fmt.Sprintf("| %d | %d | %.2f | %.2f | %.0f,000 | %.0f million | %.1f hours |",
		nodes, books, kept, worked, rate/1e3, orders/1e6, orders/rate/3600)
}

// slotsOf returns a function that asks Redis for the slot of a key.
func slotsOf(t *testing.T) func(key string) int {
	t.Helper()
	rdb := redistest.Start(t, "--cluster-enabled", "yes").Client()
	return func(key string) int {
		slot, err := rdb.ClusterKeySlot(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		return int(slot)
	}
}
