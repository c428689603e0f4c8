package scenario

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestQuantiles finds the least duration that enough of all do not exceed.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 0, 100)
	for n := range 100 {
		hundred = append(hundred, time.Duration(100-n))
	}
	rows := []struct {
		name string
		all  []time.Duration
		want []time.Duration
	}{
		{"none", nil, []time.Duration{0, 0, 0}},
		{"one", []time.Duration{7}, []time.Duration{7, 7, 7}},
		{"two", []time.Duration{9, 1}, []time.Duration{1, 9, 9}},
		{"a hundred", hundred, []time.Duration{50, 95, 99}},
		{"a hundred and one", append(slices.Clone(hundred), 101), []time.Duration{51, 96, 100}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(row.want, quantiles(row.all)); diff != "" {
				t.Errorf("p50, p95, p99 (-want +got):\n%s", diff)
			}
		})
	}
}
