package report

import "strings"

// Goal is the bound that the median of a figure or ratio is held to. The bound
// itself meets it.
type Goal struct {
	// Key names the figure or ratio.
	Key Key
	// Bound is in the figure's unit.
	Bound float64
	// AtMost says that less is better; otherwise more is.
	AtMost bool
}

// The verdicts.
const (
	met    = "met"
	missed = "missed"
)

// verdict holds a median to the goal.
func (g Goal) verdict(median float64) string {
	if (g.AtMost && median <= g.Bound) || (!g.AtMost && median >= g.Bound) {
		return met
	}
	return missed
}

// text is the bound for people.
func (g Goal) text(u Unit) string {
	sign := ">= "
	if g.AtMost {
		sign = "<= "
	}
	return sign + strings.TrimSpace(write(g.Bound, u))
}
