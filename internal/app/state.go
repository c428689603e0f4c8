package app

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
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
	seen  *contact
}

func newState(redis pinger, w *watch, seen *contact) *state {
	return &state{redis: redis, watch: w, seen: seen}
}

func (s *state) set(now int32) { s.now.Store(now) }

// ready returns why orders cannot be served. A draining process still finishes
// what it is asked.
func (s *state) ready() error {
	if err := s.watch.failed(); err != nil {
		return err
	}
	if s.now.Load() == stateStarting {
		return errStarting
	}
	return nil
}

// check is what /readyz answers: whether to send work here.
func (s *state) check(ctx context.Context) error {
	if s.now.Load() == stateDraining {
		return errDraining
	}
	if err := s.ready(); err != nil {
		return err
	}
	err := ping(ctx, s.redis)
	var reply redis.Error
	if err != nil && !errors.As(err, &reply) && !s.seen.lost() {
		return nil // one slow answer is no Redis that is away
	}
	return err
}
