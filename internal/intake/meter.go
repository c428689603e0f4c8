package intake

import (
	"math"
	"time"
)

// meterMemory is how long a meter remembers, roughly: long enough to look over
// single gusts, short enough to follow workers that come and go.
const meterMemory = 5 * time.Second

// meter tells how fast a figure changes, smoothed over the last seconds.
type meter struct {
	last int64
	at   time.Time
	rate float64
}

// add takes a new reading in and returns the change per second.
func (m *meter) add(value int64, now time.Time) float64 {
	passed := now.Sub(m.at)
	known := !m.at.IsZero() && passed > 0
	if known {
		current := float64(value-m.last) / passed.Seconds()
		m.rate += (current - m.rate) * (1 - math.Exp(-float64(passed)/float64(meterMemory)))
	}
	m.last, m.at = value, now
	return m.rate
}
