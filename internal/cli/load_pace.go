package cli

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// pace has requests go out at a constant rate, the first at once, until all have
// gone, their time is up or the wait is broken off. It implements vegeta.Pacer.
// Its fields may be read once the first result is there.
type pace struct {
	vegeta.ConstantPacer
	plan loadPlan
	// wait returns after the time, or with an error when the load is to end.
	wait func(time.Duration) error

	began time.Time
	ran   time.Duration // set when it has ended
}

func newPace(p loadPlan, wait func(time.Duration) error) *pace {
	rate := vegeta.ConstantPacer{Freq: p.rate, Per: time.Duration(p.size()) * time.Second}
	return &pace{ConstantPacer: rate, plan: p, wait: wait}
}

// Pace waits itself until the next request is due, as vegeta's own wait cannot be
// broken off.
func (p *pace) Pace(elapsed time.Duration, sent uint64) (time.Duration, bool) {
	if p.began.IsZero() {
		p.began = time.Now().Add(-elapsed)
	}
	late := elapsed > p.plan.duration+maxLoadLag
	if late || sent >= uint64(p.plan.requests()) { //nolint:gosec // not negative
		return p.stop()
	}
	ahead, stop := p.ConstantPacer.Pace(elapsed+p.plan.interval(), sent)
	if stop || p.wait(ahead) != nil {
		return p.stop()
	}
	return 0, false
}

func (p *pace) stop() (time.Duration, bool) {
	p.ran = time.Since(p.began)
	return 0, true
}

// due is when a request should go out, counted from 0.
func (p *pace) due(n uint64) time.Time {
	return p.began.Add(time.Duration(n) * p.plan.interval()) //nolint:gosec // within the duration
}

// took is how long so many requests took to go out, the interval after the last
// one included.
func (p *pace) took(requests int64) time.Duration {
	return max(p.ran, time.Duration(requests)*p.plan.interval())
}
