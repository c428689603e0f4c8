package httpserver

import "time"

// All limits of the HTTP server.
const (
	// MaxBodyBytes bounds a request's body on every route but that of large bodies. An
	// order within the bounds of its fields fits, unless it is full of long items that
	// are not ASCII.
	MaxBodyBytes = 256 << 10
	// MaxHeaderBytes bounds a request's line and headers together.
	MaxHeaderBytes = 16 << 10
	// firstBodyBytes is how much memory is reserved for a body before any of it has
	// arrived.
	firstBodyBytes = 16 << 10
	// maxConnections bounds the open connections. Further ones are answered 503 in
	// plain text.
	maxConnections = 16_384
	// readTimeout bounds the reading of one request, so that a client that sends byte by
	// byte cannot keep a connection.
	readTimeout = 10 * time.Second
	// writeTimeout bounds the writing of one answer, or of one part of a stream.
	writeTimeout = 10 * time.Second
	// idleTimeout is how long a kept-alive connection may be silent.
	idleTimeout = 75 * time.Second
	// maxLoggedPath bounds the path in a log line and in a problem, in bytes.
	maxLoggedPath = 200
	// maxTraceState bounds the Tracestate that is adopted, in bytes, because it travels
	// with the task of each order. W3C asks for at least that much.
	maxTraceState = 512
	// streamBuffer is how many bytes of a stream the kernel may buffer for a client: some
	// hundred events.
	streamBuffer = 64 << 10
	// maxStreamInput is how many bytes a client may send after a request that is answered
	// with a stream, such as a superfluous line end.
	maxStreamInput = 4 << 10
	// unacknowledgedTimeout is how long the client of a stream may acknowledge nothing:
	// two heartbeats.
	unacknowledgedTimeout = 20 * time.Second
	// lingerBytes and lingerTimeout bound how much of a refused body is still read, so
	// that its sender can read the answer.
	lingerBytes   = 16 << 20
	lingerTimeout = 2 * time.Second
	// maxLingering bounds how many connections linger at once. Others are reset.
	maxLingering = 256
)
