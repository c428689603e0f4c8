package cli

import (
	"math"
	"slices"
)

// sparkline draws the newest values as bars of eight heights, one character each,
// beginning at 0; the highest value fills its character.
func sparkline(values []float64, width int) string {
	const bars = "▁▂▃▄▅▆▇█"
	heights := []rune(bars)
	values = last(values, max(0, width))
	if len(values) == 0 {
		return ""
	}
	highest := slices.Max(values)
	line := make([]rune, len(values))
	for i, v := range values {
		line[i] = heights[0]
		if highest > 0 && v > 0 {
			line[i] = heights[int(math.Ceil(v/highest*float64(len(heights))))-1]
		}
	}
	return string(line)
}
