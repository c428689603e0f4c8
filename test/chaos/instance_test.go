package chaos_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"orderprocessor/internal/programtest"
	"orderprocessor/test/kit"
)

// process is one running program. Its methods are safe for concurrent use.
type process struct {
	*programtest.Process
	url      string      // where an API serves clients
	id       string      // the id of a worker in its attempts
	expected atomic.Bool // the scenario ends it
}

// endedUnexpectedly reports whether the process ended although the scenario did not end it.
func (p *process) endedUnexpectedly() bool { return p.State() != nil && !p.expected.Load() }

// problemLines returns the last log lines that are about more than orders: panics, and
// errors of the program itself.
func (p *process) problemLines() string {
	_, whole, _ := strings.Cut(p.Tail(), "\n") // the first line may be incomplete
	var lines strings.Builder
	for line := range strings.Lines(whole) {
		structured := strings.HasPrefix(line, `{"time":`)
		if !structured || strings.Contains(line, `"level":"ERROR"`) && !strings.Contains(line, `"msg":"order settled"`) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// instance is one API or worker of a scenario. Its process may end and be replaced;
// clients look up the current one.
type instance struct {
	s       *system
	program string
	env     []string
	current atomic.Pointer[process]
}

// start starts a new process and waits until it does its work. The last one must have
// ended.
func (l *instance) start() error {
	running, err := programtest.Launch(programtest.Config{
		Path: filepath.Join(binaries, l.program), Env: append(l.s.environment(), l.env...),
	})
	if err != nil {
		return err
	}
	p := &process{Process: running}
	l.s.own(p)
	if l.program == "api" {
		err = p.awaitServing(l.s.client)
	} else {
		p.id, err = p.Await(`"msg":"worker is starting","worker_id":"([^"]+)"`)
	}
	if err == nil {
		l.current.Store(p)
	}
	return err
}

// awaitServing waits until an API has found its Redis.
func (p *process) awaitServing(c *sender) error {
	addr, err := p.Await(programtest.Listening)
	if err != nil {
		return err
	}
	p.url = "http://" + addr
	if !programtest.Poll(programtest.Patience, func() bool { return c.At(p.url).Get("/stats", &kit.Stats{}) == nil }) {
		return fmt.Errorf("the API does not serve:\n%s", p.Tail())
	}
	return nil
}

// kill ends the process with SIGKILL. Its orders in work count towards the time of
// recovery.
func (l *instance) kill() {
	p := l.current.Load()
	l.s.noteLoss(p)
	p.Kill()
}

// stop ends the process with SIGTERM, and wants exit status 0.
func (l *instance) stop() {
	l.s.t.Helper()
	l.s.faults.Add(1)
	p := l.current.Load()
	p.expected.Store(true)
	if err := p.Stop(); err != nil {
		l.s.t.Error(err)
	}
}

// restart starts a new process, and ends the scenario if that fails.
func (l *instance) restart() {
	l.s.t.Helper()
	if err := l.start(); err != nil {
		l.s.t.Fatal(err)
	}
}

// wait is the time between two questions of a poll.
func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}
