package api

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// lingering is a listener whose connections close gently. When a server closes
// a connection that still has unread bytes, TCP resets it, and a client that is
// busy sending a body which is too large never gets to read why it was refused.
type lingering struct {
	net.Listener
	places chan struct{} // one for each connection that may linger
}

func newLingering(l net.Listener) lingering {
	return lingering{l, make(chan struct{}, maxLingering)}
}

// Accept implements net.Listener.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &lingeringConn{TCPConn: tcp, places: l.places}, nil
	}
	return c, nil
}

type lingeringConn struct {
	*net.TCPConn
	places  chan struct{}
	reading atomic.Bool
	begun   atomic.Bool // the client has sent something
	ended   atomic.Bool // the client's last byte has been read, and its end after it
}

// Read implements net.Conn. A client that has sent nothing in time has ended the
// connection, so to say: it is closed without an answer, which the client would take
// for that to a request it is just sending.
func (c *lingeringConn) Read(b []byte) (int, error) {
	c.reading.Store(true)
	defer c.reading.Store(false)
	n, err := c.TCPConn.Read(b)
	switch {
	case n > 0:
		c.begun.Store(true)
	case errors.Is(err, io.EOF):
		c.ended.Store(true)
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.begun.Load():
		return 0, io.EOF
	}
	return n, err
}

// Close ends the answer and returns. Behind it, what the client is still
// sending is taken in, within bounds, before the connection closes. A
// connection that the server waits on has nothing to take in.
func (c *lingeringConn) Close() error {
	if c.reading.Load() {
		return c.TCPConn.Close()
	}
	select {
	case c.places <- struct{}{}:
	default:
		return c.TCPConn.Close()
	}
	if err := c.CloseWrite(); err != nil {
		<-c.places
		return c.TCPConn.Close()
	}
	go c.drain()
	return nil
}

func (c *lingeringConn) drain() {
	defer func() { <-c.places }()
	if c.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	_ = c.TCPConn.Close()
}
