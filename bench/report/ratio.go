package report

// Ratio is a figure given as a multiple of another one. The two are
// divided run by run, before medians are taken: what disturbs the machine for
// minutes disturbs both sides of one run.
type Ratio struct {
	// Key names the ratio.
	Key Key
	// Of is what is divided.
	Of Key
	// By is what it is divided by: the largest of those that a run has.
	By []Key
}

// samples are the quotients of the runs that have both sides.
func (q Ratio) samples(r *Results) []float64 {
	var all []float64
	for run, of := range r.samples[q.Of] {
		largest := 0.0
		for _, k := range q.By {
			largest = max(largest, r.samples[k][run])
		}
		if largest > 0 {
			all = append(all, of/largest)
		}
	}
	return all
}
