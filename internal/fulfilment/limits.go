package fulfilment

import "time"

// The bounds of one call beside those in Config. Nothing that the shop sends
// can make a worker hold more than these.
const (
	// maxRetryAfter is the longest wait that the shop can ask for, 24 hours: a
	// mistaken Retry-After must not park an order for good.
	maxRetryAfter = 24 * time.Hour
	// maxBodyBytes is how much of an answer is read, 64 KiB. The note needs far
	// less; the rest is read so that the connection can be used again. Beyond
	// it a new connection is cheaper than reading on.
	maxBodyBytes = 64 << 10
	// bodyTime bounds reading a body, 1 second: the status has said what becomes
	// of the order, and a note is not worth a worker's time. Timeout wins if
	// shorter.
	bodyTime = time.Second
	// maxCodings is how many times a body may be compressed, 2, to be read.
	maxCodings = 2
	// maxCodingBytes bounds what a note names of other codings, 32 bytes.
	maxCodingBytes = 32
	// maxHeaderBytes bounds the answer's headers, 64 KiB: more than common web
	// servers and proxies let through. More is no answer.
	maxHeaderBytes = 64 << 10
	// maxTargetBytes bounds what an error quotes of a redirect, 256 bytes.
	maxTargetBytes = 256
	// maxCauseBytes bounds the text of a network error, 256 bytes: some quote
	// what the shop sent.
	maxCauseBytes = 256
	// dialTimeout bounds connecting, 5 seconds: it outlives one lost SYN and
	// leaves most of the usual Timeout to the answer. Timeout wins if shorter.
	dialTimeout = 5 * time.Second
	// handshakeTimeout bounds the TLS handshake, 5 seconds, for the same reason
	// and with the same exception.
	handshakeTimeout = 5 * time.Second
	// idleTimeout closes a connection that nothing used for 60 seconds, before
	// most servers and load balancers would.
	idleTimeout = 60 * time.Second
	// pingAfter is how long an HTTP/2 connection may stay silent, 15 seconds,
	// before a ping tests it. Without one, calls would go on timing out on a
	// dead connection, as a call's end does not close a shared one.
	pingAfter = 15 * time.Second
	// pingTimeout is how long that ping may take, 5 seconds, as for a dial.
	pingTimeout = 5 * time.Second
)
