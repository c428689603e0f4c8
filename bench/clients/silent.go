package clients

import (
	"context"
	"fmt"
	"io"
	"net"
)

// silentBuffer is how many bytes the kernel keeps for a client that never reads: the
// least it accepts, so that it is full soon.
const silentBuffer = 4096

// Silent opens so many streams of events and reads only the beginning of each answer.
// The server closes them after some time; the returned function closes the others.
func Silent(ctx context.Context, addr string, clients int) (end func(), err error) {
	var dialer net.Dialer
	conns := make([]net.Conn, 0, clients)
	end = func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}
	for range clients {
		c, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			end()
			return nil, fmt.Errorf("open a stream of events: %w", err)
		}
		conns = append(conns, c)
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(silentBuffer)
		}
		if err := begin(c, addr); err != nil {
			end()
			return nil, err
		}
	}
	return end, nil
}

// begin asks for events and reads the beginning of the answer.
func begin(c net.Conn, addr string) error {
	if _, err := io.WriteString(c, "GET /events HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); err != nil {
		return fmt.Errorf("ask for events: %w", err)
	}
	const begun = "HTTP/1.1 200"
	answer := make([]byte, len(begun))
	if _, err := io.ReadFull(c, answer); err != nil {
		return fmt.Errorf("read the answer to GET /events: %w", err)
	}
	if string(answer) != begun {
		return fmt.Errorf("ask for events: answered %q", answer)
	}
	return nil
}
