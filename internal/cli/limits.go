package cli

import "time"

// The limits of the commands, in one place.
const (
	// maxOrderBytes bounds one order of a file: what the API takes.
	maxOrderBytes = 256 << 10
	// maxToldFailures bounds the list of failures; the rest is counted.
	maxToldFailures = 20
	// maxKeyChars bounds a key: what the API takes.
	maxKeyChars = 256
	// maxKeyFileBytes bounds what is read of a file with a key: a key, and white
	// space around it.
	maxKeyFileBytes = 4 << 10
	// limitedTries is how often one more order is sent while the API takes no more
	// of them from this key: with the waits between them it is some 15 minutes.
	limitedTries = 100
	// maxConcurrency bounds the requests under way; the API takes 16,384
	// connections from all its clients.
	maxConcurrency = 1024
	// maxTries bounds how often one order is sent.
	maxTries = 100
	// reachTries is how often a first contact is tried: long enough for an API
	// that is just starting.
	reachTries = 3
	// commandTries is how often a request is sent that is safe to repeat: a
	// restart of the API goes unnoticed, and one that is down is told within
	// two seconds.
	commandTries = 4
	// shownOrders is how many orders a list shows unless told otherwise: what
	// fits a screen.
	shownOrders = 50
	// maxPage bounds the orders of one page: what the API gives.
	maxPage = 200
	// maxRetriedAtOnce bounds the orders that one request retries: what the API
	// does.
	maxRetriedAtOnce = 1000
	// maxCellChars bounds a free text of an order on a terminal, so that a row fits a
	// line of a wide one.
	maxCellChars = 40
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
	// privateRedisMemory bounds a private Redis, as redis.conf does for real ones:
	// near it new orders are refused.
	privateRedisMemory = "1gb"
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
