package report

import (
	"slices"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Row is one figure or ratio as it is shown.
type Row struct {
	// Key names it.
	Key Key
	// Unit is that of all its numbers.
	Unit Unit
	// Spread is what was measured.
	Spread Spread
	// Goal is the bound, and Verdict the comparison with it; empty without a goal.
	Goal, Verdict string
}

// Rows returns the figures in the order of their first sample, then the ratios.
// What has no sample is left out.
func (r *Results) Rows(ratios []Ratio, goals []Goal) []Row {
	rows := make([]Row, 0, len(r.keys)+len(ratios))
	for _, k := range r.keys {
		rows = append(rows, row(k, r.units[k], r.All(k), goals))
	}
	for _, q := range ratios {
		if samples := q.samples(r); len(samples) > 0 {
			rows = append(rows, row(q.Key, Times, samples, goals))
		}
	}
	return rows
}

func row(k Key, u Unit, samples []float64, goals []Goal) Row {
	made := Row{Key: k, Unit: u, Spread: SpreadOf(samples)}
	for _, g := range goals {
		if g.Key == k {
			made.Goal, made.Verdict = g.text(u), g.verdict(made.Spread.Median)
		}
	}
	return made
}

// Missing lists the goals that no row is about.
func Missing(rows []Row, goals []Goal) []Key {
	var missing []Key
	for _, g := range goals {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.Key == g.Key }) {
			missing = append(missing, g.Key)
		}
	}
	return missing
}

// cells are a row's texts, in the order of columns.
func (r Row) cells() []string {
	median := write(r.Spread.Median, r.Unit)
	spread := write(r.Spread.Min, r.Unit) + " – " + write(r.Spread.Max, r.Unit)
	if r.Spread.Runs == 1 {
		spread = "one run"
	}
	return []string{
		r.Key.Scenario, r.Key.System, r.Key.Figure, median, string(r.Unit), spread, r.Goal, r.Verdict,
	}
}

// columns are the heads of what cells returns.
func columns() []string {
	return []string{"scenario", "system", "figure", "median", "unit", "min – max", "goal", "verdict"}
}

// write gives a number as many digits as it is worth, with commas between the thousands.
func write(value float64, u Unit) string {
	digits := 0
	switch {
	case u == Times, u == CPUSeconds:
		digits = 2
	case u == OrdersPerSecond, u == Bytes, u == Orders:
	case value < 100:
		digits = 1
	}
	return message.NewPrinter(language.English).Sprint(number.Decimal(value, number.Scale(digits)))
}
