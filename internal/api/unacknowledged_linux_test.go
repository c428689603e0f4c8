package api_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"orderprocessor/internal/api"
)

// remembering is a listener that remembers the last connection it has accepted.
type remembering struct {
	net.Listener
	mu   sync.Mutex
	last net.Conn
}

// Accept implements net.Listener.
func (r *remembering) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = c
	return c, err
}

// TestSubscribersThatVanish holds that the kernel ends the connection of a subscriber that
// no longer acknowledges anything. To see that happen, a test would have to
// cut a network cable.
func TestSubscribersThatVanish(t *testing.T) {
	r := &remembering{}
	b := open(t, func(p *parts) {
		p.accepting = func(l net.Listener) net.Listener { r.Listener = l; return r }
	})
	b.subscribe(t, "", "")
	r.mu.Lock()
	defer r.mu.Unlock()
	raw, err := r.last.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var after int
	if err := raw.Control(func(fd uintptr) {
		after, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); err != nil {
		t.Fatal(err)
	}
	if want := 2 * api.HeartbeatInterval; err != nil || time.Duration(after)*time.Millisecond != want {
		t.Errorf("a connection ends after %d ms without an acknowledgement, %v, want %v", after, err, want)
	}
}
