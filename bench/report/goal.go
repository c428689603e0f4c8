package report

// Goal is the bound that the median of a figure or ratio is compared with. The bound
// itself meets it.
type Goal struct {
	// Key names the figure or ratio.
	Key Key
	// Bound is in the figure's unit.
	Bound float64
	// AtMost says that less is better; otherwise more is.
	AtMost bool
}

// verdict compares a median with the goal.
func (g Goal) verdict(median float64) string {
	if (g.AtMost && median <= g.Bound) || (!g.AtMost && median >= g.Bound) {
		return "met"
	}
	return "missed"
}

// text is the bound for people.
func (g Goal) text(u Unit) string {
	if g.AtMost {
		return "<= " + write(g.Bound, u)
	}
	return ">= " + write(g.Bound, u)
}
