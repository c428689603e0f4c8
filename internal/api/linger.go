package api

import (
	"io"
	"net"
	"time"
)

// lingering is a listener whose connections close gently. When a server closes
// a connection that still has unread bytes, TCP resets it, and a client that is
// busy sending a body which is too large never gets to read why it was refused.
type lingering struct{ net.Listener }

// Accept implements net.Listener.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &lingeringConn{tcp}, nil
	}
	return c, nil
}

type lingeringConn struct{ *net.TCPConn }

// Close ends the answer and returns. Behind it, what the client is still
// sending is taken in, within bounds, before the connection closes.
func (c *lingeringConn) Close() error {
	if err := c.CloseWrite(); err != nil {
		return c.TCPConn.Close()
	}
	go c.drain()
	return nil
}

func (c *lingeringConn) drain() {
	if c.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	_ = c.TCPConn.Close()
}
