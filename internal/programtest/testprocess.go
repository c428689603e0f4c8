package programtest

import (
	"os"
	"testing"
)

// TestProcess is a Process that ends with its test. It fails the test where Process
// returns an error; call those methods from the test's goroutine.
type TestProcess struct {
	*Process
	tb testing.TB
}

// Start runs a process until the test ends. If the test has failed, it shows the end of
// the log.
func Start(tb testing.TB, cfg Config) *TestProcess {
	tb.Helper()
	p, err := Launch(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("log of %s:\n%s", p, p.Tail())
		}
	})
	return &TestProcess{Process: p, tb: tb}
}

// Await is Process.Await; an error ends the test.
func (p *TestProcess) Await(pattern string) string {
	p.tb.Helper()
	found, err := p.Process.Await(pattern)
	if err != nil {
		p.tb.Fatal(err)
	}
	return found
}

// Signal is Process.Signal; an error ends the test.
func (p *TestProcess) Signal(sig os.Signal) {
	p.tb.Helper()
	if err := p.Process.Signal(sig); err != nil {
		p.tb.Fatal(err)
	}
}

// Exit is Process.Exit; an error ends the test.
func (p *TestProcess) Exit() int {
	p.tb.Helper()
	code, err := p.Process.Exit()
	if err != nil {
		p.tb.Fatal(err)
	}
	return code
}

// Stop is Process.Stop; after an error the test has failed, but continues.
func (p *TestProcess) Stop() {
	p.tb.Helper()
	if err := p.Process.Stop(); err != nil {
		p.tb.Error(err)
	}
}
