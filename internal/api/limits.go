package api

import "time"

// All limits of the API. Those of the HTTP server are in httpserver.
const (
	// maxBatchBytes and maxBatchOrders bound one batch, and maxBatches the batches that
	// are in memory at the same time.
	maxBatchBytes  = 16 << 20
	maxBatchOrders = 10_000
	maxBatches     = 8
	// maxBatchesOfKey is how many of them the keys of one name may send, so that a slow
	// client cannot block all others.
	maxBatchesOfKey = 4
	// batchReadTimeout bounds how long a batch may take to arrive: 16 MiB at 2 Mbit/s.
	batchReadTimeout = 65 * time.Second
	// batchTimeout bounds the acceptance of a batch that has arrived.
	batchTimeout = 30 * time.Second
	// maxListed and defaultListed are how many orders a page of the list has at most,
	// and by default.
	maxListed     = 200
	defaultListed = 50
	// defaultJobs is how many jobs are listed by default, the newest.
	defaultJobs = 100
	// maxAudited and defaultAudited are how many entries a page of the audit has at most,
	// and by default.
	maxAudited     = 200
	defaultAudited = 50
	// maxTargetChars bounds the target by which the audit is filtered: a method and a path.
	maxTargetChars = 1024
	// maxListedBytes is the size from which on a page is full.
	maxListedBytes = 4 << 20
	// searchTimeout bounds a search of the archive, and the wait for its turn.
	searchTimeout = 5 * time.Second
	// maxSearches bounds the searches of this process that run at once, so that they leave
	// connections to the archive for those who ask for one order.
	maxSearches = 3
	// maxExports bounds the exports of this process, and maxExportsOfKey those of the keys
	// of one name, so that they leave connections to the archive, too.
	maxExports      = 2
	maxExportsOfKey = 1
	// exportPage is how many orders an export holds at once.
	exportPage = 200
	// exportPageTimeout bounds the reading of a page of an export. Clients wait for longer.
	exportPageTimeout = 20 * time.Second
	// exportTimeout bounds a whole export: some ten million orders.
	exportTimeout = time.Hour
	// exportPart is how many bytes of an export are sent at once.
	exportPart = 32 << 10
	// exportRetryAfter is the Retry-After when other exports run, in seconds.
	exportRetryAfter = 5
	// maxGroups and defaultGroups are how many groups of failures an answer has at most,
	// and by default.
	maxGroups     = 1000
	defaultGroups = 100
	// maxTagChars bounds a tag of the rules.
	maxTagChars = 40
	// maxFilteredMetadata is how many keys of the metadata a filter may have.
	maxFilteredMetadata = 10
	// maxCorruptListed is how many corrupt tasks of a queue are listed, the newest:
	// 550 KB at most.
	maxCorruptListed = 100
	// maxActions is how many entries of the audit the history looks at, the newest, and
	// actionsPage how many it reads at once.
	maxActions  = 2000
	actionsPage = 500
	// maxWorked and maxWorkedOfWorker are how many orders in work are listed, over all
	// workers and of one: 2 MB at most.
	maxWorked         = 10_000
	maxWorkedOfWorker = 1000
	// maxRetried and defaultRetried are how many orders one request retries at most, and
	// by default.
	maxRetried     = 1000
	defaultRetried = 100
	// maxErrorPart bounds the part of an error by which orders are retried, in characters.
	maxErrorPart = 200
	// maxAgeChars bounds the text of an age or a time.
	maxAgeChars = 64
	// maxKeyChars bounds an idempotency key.
	maxKeyChars = 255
	// requestTimeout bounds how long a request waits for Redis. A client learns within two
	// seconds that Redis is unavailable.
	requestTimeout = 1500 * time.Millisecond
	// unavailableRetryAfter is the Retry-After while Redis is unavailable, in seconds.
	unavailableRetryAfter = 1
	// maxNameBytes is how much of an unknown name a problem repeats.
	maxNameBytes = 64
	// maxFilteredOrders is how many order ids the filter of a stream may have.
	maxFilteredOrders = 100
	// heartbeatInterval is how long a stream of events may be silent. Proxies allow longer.
	heartbeatInterval = 10 * time.Second
	// reconnectAfter is how long a client waits before it reconnects to a stream.
	reconnectAfter = 2 * time.Second
	// subscribeRetryAfter is the Retry-After when there are too many subscribers, in
	// seconds.
	subscribeRetryAfter = 5
	// maxWait is how long a client may wait for the outcome of its order.
	maxWait = 30 * time.Second
	// maxProblems bounds the errors that one answer lists, and maxLineProblems those of
	// one order of a batch.
	maxProblems     = 50
	maxLineProblems = 5
	// seenLately is how long the last snapshot is used when none can be read.
	seenLately = 30 * time.Second
)
