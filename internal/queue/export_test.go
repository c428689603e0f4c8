package queue

import (
	"context"
	"time"
)

// DelayOf is when Asynq brings a task back after an error.
func (b Backoff) DelayOf(retried int, err error) time.Duration { return b.delayOf(retried, err, nil) }

// Counts says whether Asynq counts a failure towards its own limit.
func Counts(err error) bool { return counts(err) }

// Within waits for a call until ctx ends.
func Within[T any](ctx context.Context, call func() (T, error)) (T, error) { return within(ctx, call) }

// SetClock makes the sweeper tell the time by another clock.
func (s *Sweeper) SetClock(now func() time.Time) {
	s.now = func(context.Context) (time.Time, error) { return now(), nil }
}
