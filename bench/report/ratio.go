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
	for run := range maxRun(r, q.Of) + 1 {
		of, ok := r.In(run, q.Of)
		by := largest(r, run, q.By)
		if ok && by > 0 {
			all = append(all, of/by)
		}
	}
	return all
}

// maxRun is the last run of a figure, or -1.
func maxRun(r *Results, k Key) int {
	last := -1
	for run := range r.samples[k] {
		last = max(last, run)
	}
	return last
}

// largest is the largest sample of a run, 0 when it has none.
func largest(r *Results, run int, keys []Key) float64 {
	var most float64
	for _, k := range keys {
		value, _ := r.In(run, k)
		most = max(most, value)
	}
	return most
}
