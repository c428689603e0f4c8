package httpserver

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// lingerListener is a listener whose connections close gently. When a server closes a
// connection that has unread bytes, TCP resets it: a client that is still sending a body
// that is too large would never read why it was refused.
type lingerListener struct {
	net.Listener
	slots chan struct{} // one for each connection that may linger
}

func newLingerListener(l net.Listener) lingerListener {
	return lingerListener{l, make(chan struct{}, maxLingering)}
}

// Accept implements net.Listener.
func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &lingerConn{TCPConn: tcp, slots: l.slots}, nil
	}
	return c, nil
}

type lingerConn struct {
	*net.TCPConn
	slots   chan struct{}
	reading atomic.Bool
	begun   atomic.Bool // the client has sent something
	ended   atomic.Bool // everything that the client sent has been read
}

// Read implements net.Conn. When a client has sent nothing in time, Read reports the end
// of the connection, which then closes without an answer: the client would read an
// answer as that to a request that it is just sending.
func (c *lingerConn) Read(b []byte) (int, error) {
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

// Close ends the answer and returns. In the background the connection reads what the
// client is still sending, within bounds, before it closes. A connection on which the
// server is waiting closes at once.
func (c *lingerConn) Close() error {
	if c.reading.Load() {
		return c.TCPConn.Close()
	}
	select {
	case c.slots <- struct{}{}:
	default:
		return c.TCPConn.Close()
	}
	if err := c.CloseWrite(); err != nil {
		<-c.slots
		return c.TCPConn.Close()
	}
	go c.drain()
	return nil
}

// reset closes the connection at once. The client reads an error, not the end of an answer.
func (c *lingerConn) reset() {
	_ = c.SetLinger(0)
	_ = c.TCPConn.Close()
}

func (c *lingerConn) drain() {
	defer func() { <-c.slots }()
	if c.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	_ = c.TCPConn.Close()
}
