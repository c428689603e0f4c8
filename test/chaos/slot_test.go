package chaos_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"orderprocessor/internal/programtest"
)

// slot is a place for one process, which others follow in the course of a
// scenario. Clients look up the process that is there now.
type slot struct {
	s       *system
	program string
	env     []string
	current atomic.Pointer[process]
}

// start puts a new process into the slot and waits until it does its work. The
// one before it must be gone.
func (l *slot) start() error {
	p, err := spawn(l.program, append(l.s.environment(), l.env...))
	if err != nil {
		return err
	}
	l.s.own(p)
	if l.program == "api" {
		err = serving(p)
	} else {
		p.id, err = p.Await(`"msg":"worker is starting","worker_id":"([^"]+)"`)
	}
	if err != nil {
		return err
	}
	l.current.Store(p)
	return nil
}

// serving waits until an API has found its Redis.
func serving(p *process) error {
	addr, err := p.Await(programtest.Listening)
	if err != nil {
		return err
	}
	p.url = "http://" + addr
	if !programtest.Poll(patience, func() bool { return answers(p.url) }) {
		return fmt.Errorf("the API does not serve:\n%s", p.Tail())
	}
	return nil
}

func answers(url string) bool {
	resp, err := http.Get(url + "/stats")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// wait is the time between two questions of a poll.
func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// kill ends the slot's process with SIGKILL. Its orders in work count towards
// the time of recovery.
func (l *slot) kill() {
	p := l.current.Load()
	l.s.lose(p)
	p.kill()
}

// stop ends the slot's process with SIGTERM, and wants exit status 0.
func (l *slot) stop() {
	l.s.t.Helper()
	l.s.faults.Add(1)
	if err := l.current.Load().stop(); err != nil {
		l.s.t.Error(err)
	}
}

// restart puts a new process into the slot, and ends the scenario if it cannot.
func (l *slot) restart() {
	l.s.t.Helper()
	if err := l.start(); err != nil {
		l.s.t.Fatal(err)
	}
}
