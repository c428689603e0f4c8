package app

import (
	"bytes"
	"net"
)

// hostless is a listener whose connections may begin with a request without a Host
// header. The checks of HAProxy send none, and net/http would refuse those of HTTP/1.1.
// The handler sees an empty Host, which no browser can send.
type hostless struct{ net.Listener }

// Accept implements net.Listener.
func (l hostless) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hostlessConn{Conn: c}, nil
}

type hostlessConn struct {
	net.Conn
	begun bool
	head  []byte // the part of the first request's header that Read has not returned yet
	err   error  // how reading it ended
}

// Read implements net.Conn. Until it has returned the first request's header it is not
// safe for concurrent use; net/http does not need that.
func (c *hostlessConn) Read(b []byte) (int, error) {
	if !c.begun {
		c.begun = true
		c.head, c.err = readHead(c.Conn)
		c.head = withHost(c.head)
	}
	switch {
	case len(c.head) > 0:
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	case c.err != nil:
		return 0, c.err
	default:
		return c.Conn.Read(b)
	}
}

// readHead reads at least until the header ends, or up to the limit for headers.
func readHead(c net.Conn) ([]byte, error) {
	var head []byte
	for part := make([]byte, 4<<10); len(head) <= adminMaxHeaderBytes; {
		n, err := c.Read(part)
		head = append(head, part[:n]...)
		if err != nil || bytes.Contains(head, []byte("\n\r\n")) || bytes.Contains(head, []byte("\n\n")) {
			return head, err
		}
	}
	return head, nil
}

// withHost adds an empty Host to a header without one.
func withHost(head []byte) []byte {
	first, rest, ended := bytes.Cut(head, []byte("\n"))
	if !ended {
		return head
	}
	for line := range bytes.Lines(rest) {
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if name, _, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Host")) {
			return head
		}
	}
	return bytes.Join([][]byte{first, []byte("Host:\r"), rest}, []byte("\n"))
}
