package chaos_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"
)

// trap is a fault at one command. The connection breaks after it.
type trap struct {
	// drop loses the command on its way to Redis. Otherwise it is applied, and its
	// answer is lost.
	drop bool
	// then is called at that moment, before the connection breaks.
	then func()
}

// errTrapped ends a connection whose command was hit.
var errTrapped = errors.New("trapped")

// proxy passes everything on to Redis but the commands that the judge traps.
type proxy struct {
	socket string // of Redis
	judge  func(command message) *trap
}

// openProxy starts a proxy in front of the Redis of that URL, and returns the address
// that programs use instead. Its judge returns nil for a command that passes, and must
// be safe for concurrent use. A script that Redis does not know is not trapped: it was
// not applied, and is sent again with its source.
func openProxy(t *testing.T, redisURL string, judge func(command message) *trap) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{socket: strings.TrimPrefix(redisURL, "unix://"), judge: judge}
	go func() {
		for {
			program, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(program)
		}
	}()
	t.Cleanup(func() { _ = l.Close() }) // connections end with their programs
	return l.Addr().String()
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
		hit := p.judge(command)
		if hit != nil && hit.drop {
			hit.then()
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
			if hit := <-waiting; hit != nil && !reply.unknownScript() {
				hit.then()
				return errTrapped
			}
		}
		if _, err := program.Write(reply); err != nil {
			return err
		}
	}
}
