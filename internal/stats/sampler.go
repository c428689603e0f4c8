package stats

import (
	"context"
	"log/slog"
	"time"
)

const (
	// SampleStep is the time between two samples.
	SampleStep = 10 * time.Second
	// lookInterval is how often a process asks itself whether it leads, and how soon a
	// sample that failed is tried again.
	lookInterval = time.Second
)

// Samples keeps samples; see ledger.Ledger.SaveSample.
type Samples interface {
	SaveSample(ctx context.Context, s Sample, v Verdict) error
}

// Sampler takes a sample at the beginning of each step, by the clock of Redis, while its
// process leads.
type Sampler struct {
	reporter *Reporter
	samples  Samples
	leads    func() bool
	log      *slog.Logger
	led      bool // when it last looked
}

// NewSampler returns a sampler of what the reporter sees. The reporter needs no Run. leads
// reports whether this process leads: two that both do so keep the sample of either.
func NewSampler(r *Reporter, s Samples, leads func() bool, log *slog.Logger) *Sampler {
	return &Sampler{reporter: r, samples: s, leads: leads, log: log}
}

// Run samples until ctx ends. A failure is logged and leaves a gap at worst. It may be
// called once, and returns nil.
func (s *Sampler) Run(ctx context.Context) error {
	for {
		timer := time.NewTimer(s.look(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// look takes a sample if this process leads, and returns how long to wait.
func (s *Sampler) look(ctx context.Context) time.Duration {
	if !s.leads() {
		s.led = false
		return lookInterval
	}
	now, err := s.sample(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "no sample could be taken; trying again", "retry_in", lookInterval, "error", err)
		}
		return lookInterval
	}
	return now.Truncate(SampleStep).Add(SampleStep).Sub(now)
}

// sample takes a sample, and returns the time of Redis. In the second half of a step it
// keeps none: the counts of two steps would both be wrong. Nor does it while nothing is known
// of one of the books, whose orders would all count in one step afterwards.
func (s *Sampler) sample(ctx context.Context) (time.Time, error) {
	snap, err := s.reporter.Snapshot(ctx)
	if err != nil {
		return time.Time{}, err
	}
	verdict := s.judge(snap)
	s.reporter.remember(snap.Totals)
	at := snap.At.Truncate(SampleStep)
	if snap.At.Sub(at) > SampleStep/2 || snap.Lack() {
		return snap.At, nil
	}
	return snap.At, s.samples.SaveSample(ctx, newSample(at, snap), verdict)
}

// judge returns the verdict, or the zero Verdict while too little is known. A process that
// has just begun to lead judges nothing: a worker may lead before its first heartbeat.
func (s *Sampler) judge(snap Snapshot) Verdict {
	led := s.led
	s.led = true
	// The workers do not know how many orders may wait; see Facts.MaxBacklog.
	v := Facts{Snapshot: snap}.Verdict()
	if !led || v.Level == LevelUnknown {
		return Verdict{}
	}
	return v
}
