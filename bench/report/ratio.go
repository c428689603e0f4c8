package report

// Ratio is a figure given as a multiple of another one. The two are
// divided run by run, before medians are taken: what disturbs the machine for
// minutes disturbs both sides of one run.
type Ratio struct {
	// Key names the ratio.
	Key Key
	// Of is what is divided.
	Of Key
	// By is what it is divided by: the largest of those that a run has, or with Least the
	// smallest.
	By    []Key
	Least bool
}

// samples are the quotients of the runs that have both sides.
func (q Ratio) samples(r *Results) []float64 {
	var all []float64
	for run, of := range r.samples[q.Of] {
		if best := q.best(r, run); best > 0 {
			all = append(all, of/best)
		}
	}
	return all
}

// best is what a run is divided by, 0 if it has nothing.
func (q Ratio) best(r *Results, run int) (best float64) {
	for _, k := range q.By {
		by := r.samples[k][run]
		if by > 0 && (best == 0 || (by < best) == q.Least) {
			best = by
		}
	}
	return best
}
