package load

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxLag is how long after the last request was due late requests are still sent.
const maxLag = 100 * time.Millisecond

// pace sends requests at a constant rate, the first at once, until all are sent,
// their time is up or the wait fails. It implements vegeta.Pacer. Its fields may
// be read once the first result has arrived.
type pace struct {
	vegeta.ConstantPacer
	plan  Plan
	wait  func(time.Duration) error
	began time.Time
	ran   time.Duration // set when it has ended
}

func newPace(p Plan, wait func(time.Duration) error) *pace {
	rate := vegeta.ConstantPacer{Freq: p.Rate, Per: time.Duration(p.size()) * time.Second}
	return &pace{ConstantPacer: rate, plan: p, wait: wait}
}

// Pace waits itself until the next request is due, because vegeta's own wait
// cannot be interrupted.
func (p *pace) Pace(elapsed time.Duration, sent uint64) (time.Duration, bool) {
	if p.began.IsZero() {
		p.began = time.Now().Add(-elapsed)
	}
	late := elapsed > p.plan.Duration+maxLag
	if late || sent >= uint64(p.plan.Requests()) { //nolint:gosec // not negative
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

// due is when the n-th request was due, counted from 0.
func (p *pace) due(n uint64) time.Time {
	return p.began.Add(time.Duration(n) * p.plan.interval()) //nolint:gosec // within the duration
}

// took is how long it took to send so many requests, with the interval after the
// last one.
func (p *pace) took(requests int64) time.Duration {
	return max(p.ran, time.Duration(requests)*p.plan.interval())
}
