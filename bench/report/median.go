package report

import "slices"

// Spread is what several samples of one figure say together.
type Spread struct {
	// Median is the middle one, or between the middle two.
	Median float64
	// Min and Max are the outermost ones.
	Min, Max float64
	// Runs is how many there are.
	Runs int
}

// SpreadOf returns the spread of the samples, the zero one when there are none.
func SpreadOf(samples []float64) Spread {
	if len(samples) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	return Spread{
		Median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Min:    sorted[0], Max: sorted[n-1], Runs: n,
	}
}
