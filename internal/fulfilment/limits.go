package fulfilment

import "time"

// The bounds of one call besides those in Config. Whatever the shop sends, a worker
// holds no more than this.
const (
	// maxRetryAfter is the longest wait that the shop can ask for, 24 hours: a wrong
	// Retry-After must not delay an order for ever.
	maxRetryAfter = 24 * time.Hour
	// maxBodyBytes is how much of a body is read, 64 KiB. The note needs far less; the
	// rest is read so that the connection can be reused. Beyond 64 KiB a new connection
	// is cheaper.
	maxBodyBytes = 64 << 10
	// bodyTime bounds reading a body, 1 second: the status has decided what becomes of
	// the order, and a note is not worth more of a worker's time. A shorter Timeout
	// applies instead.
	bodyTime = time.Second
	// maxCodings is how many content codings of a body are decoded, 2.
	maxCodings = 2
	// maxCodingBytes bounds the names of other codings in a note, 32 bytes.
	maxCodingBytes = 32
	// maxHeaderBytes bounds the answer's headers, 64 KiB: more than common web servers
	// and proxies allow. An answer with more counts as none.
	maxHeaderBytes = 64 << 10
	// maxTargetBytes bounds a redirect's target in an error, 256 bytes.
	maxTargetBytes = 256
	// maxCauseBytes bounds the text of a network error, 256 bytes: some errors quote what
	// the shop sent.
	maxCauseBytes = 256
	// dialTimeout bounds connecting, 5 seconds: enough for one lost SYN, and most of the
	// usual Timeout remains for the answer. A shorter Timeout applies instead.
	dialTimeout = 5 * time.Second
	// handshakeTimeout bounds the TLS handshake, 5 seconds, for the same reason
	// and with the same exception.
	handshakeTimeout = 5 * time.Second
	// idleTimeout closes a connection that was idle for 60 seconds, before most servers
	// and load balancers do.
	idleTimeout = 60 * time.Second
	// pingAfter is how long an HTTP/2 connection may be silent before a ping tests it, 15
	// seconds. Without pings, calls would keep timing out on a dead connection, because a
	// call that ends does not close a shared connection.
	pingAfter = 15 * time.Second
	// pingTimeout bounds that ping, 5 seconds, like dialTimeout.
	pingTimeout = 5 * time.Second
)
