package chaos_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
)

// trap is a fault at exactly one command.
type trap struct {
	// match recognises a script by its keys.
	match func(keys []string) bool
	// nth is the matching run that is hit, from 1 on.
	nth int
	// drop loses the command on its way to Redis. Otherwise it is applied, and its
	// answer is lost. The connection breaks either way.
	drop bool
	// then is called at that moment, before the connection breaks; nil for nothing.
	then func()
}

// errTrapped ends a connection whose command was hit.
var errTrapped = errors.New("trapped")

// proxy listens on TCP for programs, and passes everything on to Redis but the command
// that a trap is set for. It is safe for concurrent
// use.
type proxy struct {
	addr   string
	socket string // of Redis

	// judge decides on every command, instead of the trap that is set; nil where
	// only that counts.
	judge func(command message) *trap

	mu   sync.Mutex
	trap *trap
}

// openProxy starts a proxy before the Redis of that URL, with a judge or nil. It
// ends with the test.
func openProxy(t *testing.T, redisURL string, judge func(command message) *trap) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), socket: strings.TrimPrefix(redisURL, "unix://"), judge: judge}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			program, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(program) })
		}
	})
	t.Cleanup(func() { _ = l.Close() }) // connections end with their programs
	return p
}

// URL is the address for programs, instead of that of Redis.
func (p *proxy) URL() string { return "redis://" + p.addr }

// set arms a trap, instead of the last one.
func (p *proxy) set(t trap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = &t
}

// sprung reports whether the trap that was set last has hit its command.
func (p *proxy) sprung() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trap == nil
}

// hit returns the trap if the command is the one it is set for, and disarms it.
func (p *proxy) hit(command message) *trap {
	if p.judge != nil {
		return p.judge(command)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trap == nil || !p.trap.match(command.scriptKeys()) {
		return nil
	}
	if p.trap.nth--; p.trap.nth > 0 {
		return nil
	}
	hit := p.trap
	p.trap = nil
	return hit
}

// serve passes on what one connection brings, in both directions.
func (p *proxy) serve(program net.Conn) {
	defer func() { _ = program.Close() }()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	waiting := make(chan *trap, 4096) // one for each command under way, nil for most
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_ = p.passAnswers(server, program, waiting)
		_ = program.Close()
		_ = server.Close()
	}()
	_ = p.passCommands(program, server, waiting)
	_ = server.Close()
	<-answered
}

func (p *proxy) passCommands(program, server net.Conn, waiting chan<- *trap) error {
	r := bufio.NewReaderSize(program, 64<<10)
	for {
		command, err := readMessage(r)
		if err != nil {
			return err
		}
		hit := p.hit(command)
		if hit != nil && hit.drop {
			hit.spring()
			return errTrapped
		}
		waiting <- hit
		if _, err := server.Write(command); err != nil {
			return err
		}
	}
}

func (p *proxy) passAnswers(server, program net.Conn, waiting <-chan *trap) error {
	r := bufio.NewReaderSize(server, 64<<10)
	for {
		reply, err := readMessage(r)
		if err != nil {
			return err
		}
		if !reply.pushed() && len(waiting) > 0 {
			if hit := <-waiting; hit != nil && !p.rearm(hit, reply) {
				hit.spring()
				return errTrapped
			}
		}
		if _, err := program.Write(reply); err != nil {
			return err
		}
	}
}

// rearm sets the trap again for the script's second run, with its source: a
// script that Redis did not know was not applied.
func (p *proxy) rearm(hit *trap, reply message) bool {
	if !reply.unknownScript() {
		return false
	}
	hit.nth = 1
	p.set(*hit)
	return true
}

func (t *trap) spring() {
	if t.then != nil {
		t.then()
	}
}
