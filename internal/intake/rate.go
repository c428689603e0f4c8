package intake

import (
	"math"
	"time"
)

// smoothing is roughly the period over which a rate is averaged: long enough to even out short
// bursts, short enough to follow workers that come and go.
const smoothing = 5 * time.Second

// rate is how fast a figure changes, smoothed exponentially.
type rate struct {
	last      int64
	at        time.Time
	perSecond float64
}

// update adds the figure's value at a time and returns the change per second.
func (r *rate) update(value int64, now time.Time) float64 {
	passed := now.Sub(r.at)
	known := !r.at.IsZero() && passed > 0
	if known {
		current := float64(value-r.last) / passed.Seconds()
		r.perSecond += (current - r.perSecond) * (1 - math.Exp(-float64(passed)/float64(smoothing)))
	}
	r.last, r.at = value, now
	return r.perSecond
}
