package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestMix checks that every queue has its share of the first orders, however many,
// and no more.
func TestMix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, means string
		shares      map[order.Priority]float64
	}{
		{"critical=1,default=8,low=1", "critical=1,default=8,low=1", map[order.Priority]float64{1: 0.1, 2: 0.8, 3: 0.1}},
		{"low=3,critical=1", "critical=1,low=3", map[order.Priority]float64{1: 0.25, 3: 0.75}},
		{"default=1000,low=500,critical=0", "default=1000,low=500", map[order.Priority]float64{2: 2. / 3, 3: 1. / 3}},
		{"critical=7", "critical=7", map[order.Priority]float64{1: 1}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			m := Mix{order.QueueCritical: 1, order.QueueDefault: 8, order.QueueLow: 1}
			if err := m.Set(tt.text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.means, m.String()); diff != "" {
				t.Errorf("the mix (-want +got):\n%s", diff)
			}
			counts := map[order.Priority]int{}
			for i, p := range m.round() {
				counts[p]++
				for _, p := range order.Priorities() {
					if off := float64(counts[p]) - tt.shares[p]*float64(i+1); off < -1 || off > 1 {
						t.Fatalf("of the first %d orders, %d have priority %d", i+1, counts[p], p)
					}
				}
			}
		})
	}
	got := Mix{order.QueueCritical: 2, order.QueueLow: 1}.round()
	if diff := cmp.Diff([]order.Priority{order.PriorityHigh, order.PriorityLow, order.PriorityHigh}, got); diff != "" {
		t.Errorf("a round of two to one is not even (-want +got):\n%s", diff)
	}
}
