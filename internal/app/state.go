package app

import (
	"context"
	"errors"
	"sync/atomic"
)

// The states of a program, as /readyz tells them.
const (
	stateStarting int32 = iota
	stateServing
	stateDraining
)

var (
	errStarting = errors.New("starting: waiting for Redis")
	errDraining = errors.New("draining: this process is stopping")
)

// state is where a program is between start and stop. It is safe for
// concurrent use.
type state struct {
	now   atomic.Int32
	redis pinger
	watch *watch
}

func newState(redis pinger, w *watch) *state { return &state{redis: redis, watch: w} }

func (s *state) set(now int32) { s.now.Store(now) }

// ready returns why orders cannot be served. A draining process still finishes
// what it is asked.
func (s *state) ready() error {
	if s.now.Load() == stateStarting {
		return errStarting
	}
	return s.watch.failed()
}

// check is what /readyz answers: whether to send work here.
func (s *state) check(ctx context.Context) error {
	switch s.now.Load() {
	case stateStarting:
		return errStarting
	case stateDraining:
		return errDraining
	}
	if err := s.watch.failed(); err != nil {
		return err
	}
	return ping(ctx, s.redis)
}
