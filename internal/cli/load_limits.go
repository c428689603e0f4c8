package cli

import "time"

// The limits of load, in one place.
const (
	// maxLoadRate bounds the orders per second: more than one Redis takes.
	maxLoadRate = 100_000
	// minLoadDuration and maxLoadDuration bound how long orders are sent. In less
	// than a second nothing can be said of a rate.
	minLoadDuration = time.Second
	maxLoadDuration = 24 * time.Hour
	// maxLoadBatch bounds the orders of one request: what the API takes.
	maxLoadBatch = 10_000
	// maxMixWeight bounds the weight of one queue, in parts: enough for shares of
	// a tenth of a percent.
	maxMixWeight = 1000
	// maxLoadRequests bounds the requests that are due and not yet answered. Past
	// it requests are sent late, and the result says so.
	maxLoadRequests = 10_000
	// maxLoadBytes bounds the bodies of these requests together.
	maxLoadBytes = 256 << 20
	// loadOrderBytes is a bit more than an order of a load has.
	loadOrderBytes = 350
	// loadCustomers is how many customers the orders of a load belong to.
	loadCustomers = 1000
	// maxLoadLag is how long after the last request was due those that are late
	// are still sent.
	maxLoadLag = 100 * time.Millisecond
	// loadTimeout bounds one request, the wait for a connection included. The API
	// takes at most 30 seconds for a batch; networks get the rest.
	loadTimeout = 35 * time.Second
	// loadGrace is how long an interrupted load still waits for answers, and how
	// long it may ask for the statistics.
	loadGrace = 2 * time.Second
	// maxRefusalKinds bounds the reasons for refusals that are told apart, and
	// maxRefusalChars what is told of one.
	maxRefusalKinds = 20
	maxRefusalChars = 40
)
