// Package record writes down the commands that programs send to Redis while they
// do real work, and plays them back with nothing else around them.
//
// It receives connections on a socket of its own, hands every byte on to Redis and
// back, and hands on the commands in the order in which they were sent. It owns the
// socket and what it has written down. It knows nothing of orders, so it goes on
// working however the scripts and the ways of sending them change.
package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy stands between programs and a Redis. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	redis    string // its socket

	mu       sync.Mutex
	commands [][]any
	conns    []net.Conn
	closed   bool

	running sync.WaitGroup
}

// Open listens on a unix socket and hands on to that of a Redis until Close.
func Open(ctx context.Context, socket, redis string) (*Proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("open recorder: %w", err)
	}
	p := &Proxy{listener: l, redis: redis}
	p.running.Go(p.accept)
	return p, nil
}

func (p *Proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		to, err := net.Dial("unix", p.redis) //nolint:noctx // a local socket that answers at once or never
		if err != nil || !p.hold(from, to) {
			_ = from.Close()
			continue
		}
		p.running.Go(func() { p.handOn(from, to) })
		p.running.Go(func() {
			_, _ = io.Copy(from, to)
			_ = from.Close()
		})
	}
}

// hold remembers connections for Close; it refuses them when that was called.
func (p *Proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.conns = append(p.conns, conns...)
	}
	return !p.closed
}

// handOn writes down what comes from a program while it passes. All that has come
// is handed on together, so that a pipeline stays one.
func (p *Proxy) handOn(from, to net.Conn) {
	defer func() { _ = to.Close() }()
	in, out := bufio.NewReader(from), bufio.NewWriter(to)
	for {
		command, err := readCommand(in)
		if err != nil {
			return // the program is gone, or Close was called
		}
		p.mu.Lock()
		p.commands = append(p.commands, command)
		p.mu.Unlock()
		writeCommand(out, command)
		if in.Buffered() > 0 {
			continue
		}
		if out.Flush() != nil {
			return
		}
	}
}

// Commands returns what has been written down so far, in the order in which it
// was sent.
func (p *Proxy) Commands() [][]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commands[:len(p.commands):len(p.commands)]
}

// Close ends all connections. It may be called twice.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	conns := p.conns
	p.mu.Unlock()
	err := p.listener.Close()
	for _, c := range conns {
		_ = c.Close()
	}
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
