package queue

import "time"

// DelayOf is when Asynq brings a task back after an error.
func (b Backoff) DelayOf(retried int, err error) time.Duration { return b.delayOf(retried, err, nil) }

// Counts says whether Asynq counts a failure towards its own limit.
func Counts(err error) bool { return counts(err) }
