package api

import "time"

// The limits of the API, in one place.
const (
	// maxBodyBytes bounds a request's body. An order within the bounds of its
	// fields fits unless it is full of long items that are not ASCII.
	maxBodyBytes = 256 << 10
	// firstBodyBytes is how much room is made for a body before any of it is
	// there.
	firstBodyBytes = 16 << 10
	// maxBatchBytes and maxBatchOrders bound a batch, and maxBatches how many are
	// held at once.
	maxBatchBytes  = 16 << 20
	maxBatchOrders = 10_000
	maxBatches     = 8
	// maxBatchesOfKey is how many of them the keys of one name may hold, so that a
	// slow client does not keep all others from sending theirs.
	maxBatchesOfKey = 4
	// maxListed and defaultListed are how many orders a page of the list may and
	// does hold.
	maxListed     = 200
	defaultListed = 50
	// maxMonitored is how many tasks Asynqmon shows on a page at most.
	maxMonitored = 100
	// maxDamagedListed is how many damaged places of a queue are listed, the newest:
	// 550 KB at most.
	maxDamagedListed = 100
	// maxRetried and defaultRetried are how many orders one request may and does
	// retry.
	maxRetried     = 1000
	defaultRetried = 100
	// maxErrorPart bounds the part of an error that is searched for, in
	// characters.
	maxErrorPart = 200
	// maxAgeChars bounds how an age or a time may be written.
	maxAgeChars = 64
	// maxKeyChars bounds an idempotency key.
	maxKeyChars = 255
	// maxHeaderBytes bounds a request's line and headers.
	maxHeaderBytes = 16 << 10
	// maxConnections bounds the open connections; more are answered 503, in
	// plain text.
	maxConnections = 16_384
	// readTimeout bounds the reading of one request, so that a client that
	// drips bytes cannot hold a connection.
	readTimeout = 10 * time.Second
	// batchReadTimeout is readTimeout for a batch: 16 MiB at 2 Mbit/s.
	batchReadTimeout = 65 * time.Second
	// batchTimeout bounds the taking of a batch that has been read.
	batchTimeout = 30 * time.Second
	// writeTimeout bounds the writing of one answer.
	writeTimeout = 10 * time.Second
	// idleTimeout is how long a kept-alive connection may be silent.
	idleTimeout = 75 * time.Second
	// requestTimeout bounds what a request may ask of Redis: a client hears of
	// a Redis that is away within two seconds.
	requestTimeout = 1500 * time.Millisecond
	// unavailableRetryAfter is what a client is told to wait while Redis is
	// away, in seconds.
	unavailableRetryAfter = 1
	// maxFollowed is how many orders a stream of events may be about.
	maxFollowed = 100
	// heartbeatInterval is how long a stream of events may be silent: less than what
	// proxies bear. A client that has vanished without a word is missed after two.
	heartbeatInterval = 10 * time.Second
	// reconnectAfter is when a client whose stream has ended asks for another.
	reconnectAfter = 2 * time.Second
	// followerBuffer is how many bytes the kernel may hold for a client that follows
	// events: some hundred of them.
	followerBuffer = 64 << 10
	// maxFollowerSays is how many bytes a client may send after its request to follow
	// events, such as a line end too many.
	maxFollowerSays = 4 << 10
	// streamsRetryAfter is what a client is told to wait when there is no place for
	// its stream, in seconds.
	streamsRetryAfter = 5
	// maxWait is how long a client may wait for the outcome of its order.
	maxWait = 30 * time.Second
	// maxProblems bounds the list of problems in one answer.
	maxProblems = 50
	// maxLineProblems is maxProblems for one order of a batch.
	maxLineProblems = 5
	// maxLoggedPath bounds the path in a log line, in bytes.
	maxLoggedPath = 200
	// lingerBytes and lingerTimeout bound how much of a refused body is still
	// taken in, so that its sender gets to read the answer.
	lingerBytes   = 16 << 20
	lingerTimeout = 2 * time.Second
	// maxLingering bounds how many connections do so at once; others are reset.
	maxLingering = 256
)
