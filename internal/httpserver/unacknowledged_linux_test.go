package httpserver

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"orderprocessor/internal/programtest"
)

// TestStreamOfAVanishedClient checks that the kernel is set to end the connection of a
// stream whose client no longer acknowledges anything. To see that happen, a test would
// have to cut a network cable.
func TestStreamOfAVanishedClient(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	client, err := net.DialTimeout("tcp", l.Addr().String(), programtest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	conn, err := newLingerListener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	boundUnsent(conn)
	raw, err := conn.(*lingerConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var after int
	if err := raw.Control(func(fd uintptr) {
		after, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil || time.Duration(after)*time.Millisecond != unacknowledgedTimeout {
		t.Errorf("a connection ends after %d ms without an acknowledgement, %v", after, err)
	}
}
