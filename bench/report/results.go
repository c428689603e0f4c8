// Package report keeps what a suite has measured and reports it: as one table for
// people at a terminal, and as Markdown to keep.
//
// It receives samples, one per figure and run, and hands on medians, spreads,
// ratios and verdicts. It owns nothing outside itself and decides nothing about
// what is measured.
package report

// Unit says what a figure counts, and so how it is written.
type Unit string

// The units.
const (
	// OrdersPerSecond is a rate.
	OrdersPerSecond Unit = "orders/s"
	// Milliseconds is a duration.
	Milliseconds Unit = "ms"
	// Microseconds is a duration too.
	Microseconds Unit = "µs"
	// Bytes is memory.
	Bytes Unit = "bytes"
	// OfACore is the time of a processor, in percent of one core.
	OfACore Unit = "% of a core"
	// Percent is a share.
	Percent Unit = "%"
	// Orders is a number of orders.
	Orders Unit = "orders"
	// Commands is a number of commands to Redis.
	Commands Unit = "commands"
	// Times is one figure by another.
	Times Unit = "x"
)

// Key names a figure.
type Key struct {
	// Scenario is what was done.
	Scenario string
	// System is what it was done to.
	System string
	// Figure is what was measured of it.
	Figure string
}

// Skip is a measurement that could not be made here.
type Skip struct {
	// Key names it; its Figure is empty when that goes for all.
	Key Key
	// Reason says why.
	Reason string
}

// Results are the samples of all runs. They are not safe for concurrent use.
type Results struct {
	keys    []Key // in the order of their first sample
	units   map[Key]Unit
	samples map[Key]map[int]float64 // by run
	skips   []Skip
}

// NewResults returns results without a sample.
func NewResults() *Results {
	return &Results{units: map[Key]Unit{}, samples: map[Key]map[int]float64{}}
}

// Add keeps the sample of a run. Another one of the same run replaces it.
func (r *Results) Add(run int, k Key, u Unit, value float64) {
	if r.samples[k] == nil {
		r.keys = append(r.keys, k)
		r.units[k] = u
		r.samples[k] = map[int]float64{}
	}
	r.samples[k][run] = value
}

// Skip notes that a measurement could not be made. Repeating it changes nothing.
func (r *Results) Skip(k Key, reason string) {
	for _, s := range r.skips {
		if s.Key == k {
			return
		}
	}
	r.skips = append(r.skips, Skip{Key: k, Reason: reason})
}

// Skips lists what could not be measured.
func (r *Results) Skips() []Skip { return r.skips }

// In returns the sample of one run; ok is false when there is none.
func (r *Results) In(run int, k Key) (value float64, ok bool) {
	value, ok = r.samples[k][run]
	return value, ok
}

// All returns the samples of a figure in the order of the runs.
func (r *Results) All(k Key) []float64 {
	all := make([]float64, 0, len(r.samples[k]))
	for run := 0; len(all) < len(r.samples[k]); run++ {
		if value, ok := r.samples[k][run]; ok {
			all = append(all, value)
		}
	}
	return all
}
