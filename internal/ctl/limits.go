package ctl

import "time"

// The limits of the commands, in one place.
const (
	// maxOrderBytes bounds one order of a file: what the API takes.
	maxOrderBytes = 256 << 10
	// maxToldFailures bounds the list of failures; the rest is counted.
	maxToldFailures = 20
	// maxConcurrency bounds the requests under way; the API takes 16,384
	// connections from all its clients.
	maxConcurrency = 1024
	// maxTries bounds how often one order is sent.
	maxTries = 100
	// maxSample bounds a sample: what the queues take by default.
	maxSample = 100_000
	// sampleConcurrency is how many sample orders are sent, and how many are
	// watched, at a time.
	sampleConcurrency = 16
	// watchInterval is the time between two looks at an order that is not
	// settled.
	watchInterval = 20 * time.Millisecond
	// stallTimeout is how long a sample may go without a settled order.
	stallTimeout = time.Minute
	// readyTimeout bounds the wait for the programs of dev to be healthy.
	readyTimeout = 30 * time.Second
	// redisAnswerTimeout bounds the wait for a Redis that is said to run.
	redisAnswerTimeout = 5 * time.Second
	// redisLoadTimeout bounds the wait for a private Redis, which reads its
	// append-only file first.
	redisLoadTimeout = 2 * time.Minute
	// redisStopTimeout bounds the wait for a private Redis to write its file
	// and end; then it is killed.
	redisStopTimeout = 20 * time.Second
	// maxSocketPath is what fits into a socket's address on every system, in
	// bytes.
	maxSocketPath = 100
	// maxLogTail bounds what is shown of a private Redis's log, in bytes.
	maxLogTail = 600
	// progressThrottle is the least time between two drawings of a bar.
	progressThrottle = 65 * time.Millisecond
)
