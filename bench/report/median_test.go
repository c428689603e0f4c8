package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/bench/report"
)

// TestSpreadOf finds the middle and the ends of samples in any order.
func TestSpreadOf(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		samples []float64
		want    report.Spread
	}{
		{"none", nil, report.Spread{}},
		{"one", []float64{7}, report.Spread{Median: 7, Min: 7, Max: 7, Runs: 1}},
		{"odd", []float64{9, 1, 4}, report.Spread{Median: 4, Min: 1, Max: 9, Runs: 3}},
		{"even", []float64{8, 2, 6, 4}, report.Spread{Median: 5, Min: 2, Max: 8, Runs: 4}},
		{"the same", []float64{3, 3, 3}, report.Spread{Median: 3, Min: 3, Max: 3, Runs: 3}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(row.want, report.SpreadOf(row.samples)); diff != "" {
				t.Errorf("spread (-want +got):\n%s", diff)
			}
		})
	}
}
