// Package report keeps what a suite has measured and reports it: as one table for
// people at a terminal, and as Markdown to keep.
//
// It receives samples, one per figure and run, and hands on medians, spreads,
// ratios and verdicts. It decides nothing about what is measured.
package report

import (
	"maps"
	"slices"
)

// Unit is what a figure counts. It decides how the figure is written.
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
	// CPUSeconds is the processor time of many orders.
	CPUSeconds Unit = "s / 10,000 orders"
	// Percent is a share.
	Percent Unit = "%"
	// Orders is a number of orders.
	Orders Unit = "orders"
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
	// Reason is why.
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
	if !slices.ContainsFunc(r.skips, func(s Skip) bool { return s.Key == k }) {
		r.skips = append(r.skips, Skip{Key: k, Reason: reason})
	}
}

// Skips lists what could not be measured.
func (r *Results) Skips() []Skip { return r.skips }

// In returns the sample of one run; ok is false when there is none.
func (r *Results) In(run int, k Key) (value float64, ok bool) {
	value, ok = r.samples[k][run]
	return value, ok
}

// All returns the samples of a figure.
func (r *Results) All(k Key) []float64 { return slices.Collect(maps.Values(r.samples[k])) }
