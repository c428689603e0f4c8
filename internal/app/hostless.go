package app

import (
	"bytes"
	"net"
)

// hostless is a listener whose connections may begin with a request that names no
// host, as the checks of HAProxy do whatever version they speak: net/http refuses
// those of HTTP/1.1 otherwise. Such a request reaches the handler with an empty Host,
// which no browser can send.
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
	head  []byte // what is still to be read of the first request's header
	err   error  // what reading it ended with
}

// Read implements net.Conn. It is not safe for concurrent use before the header of
// the first request has been read, and net/http does not use it so.
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

// readHead reads until a header has ended, and may read more. What does not end is
// returned as far as a header may go.
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

// withHost adds an empty Host to a header without any.
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
