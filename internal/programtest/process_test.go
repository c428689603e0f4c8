package programtest_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
)

// soon is a patience that ends within a test.
const soon = 50 * time.Millisecond

// shell is a program that runs these commands.
func shell(commands string) programtest.Config {
	return programtest.Config{Path: "sh", Args: []string{"-c", commands}, Env: []string{"WORD=tea"}}
}

// stays is the end of a shell program that runs until a signal ends it.
const stays = `; while :; do sleep 0.05; done`

// startShort starts a shell that prints tea and waits for it. Every later wait is short.
func startShort(tb testing.TB, commands string) *programtest.TestProcess {
	p := programtest.Start(tb, shell(commands))
	p.Await("tea")
	p.SetPatience(soon)
	return p
}

// record is a test that records whether it failed, and its log.
type record struct {
	testing.TB // of the methods that are not here, none may be called
	failed     bool
	log        strings.Builder
	cleanups   []func()
}

func (r *record) Helper()                    {}
func (r *record) Failed() bool               { return r.failed }
func (r *record) Cleanup(f func())           { r.cleanups = append(r.cleanups, f) }
func (r *record) Logf(form string, a ...any) { _, _ = fmt.Fprintf(&r.log, form+"\n", a...) }
func (r *record) Error(a ...any)             { r.failed = true; _, _ = fmt.Fprintln(&r.log, a...) }
func (r *record) Fatal(a ...any)             { r.Error(a...); runtime.Goexit() }
func (r *record) Fatalf(f string, a ...any)  { r.Fatal(fmt.Sprintf(f, a...)) }

// try runs a test of its own and returns what came of it.
func try(test func(tb testing.TB)) *record {
	r := &record{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range r.cleanups {
				f()
			}
		}()
		test(r)
	}()
	<-done
	return r
}

// TestFailures makes each wait fail, and checks that the test fails with the log.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		test func(tb testing.TB)
		want []string
	}{
		{"ends at once", func(tb testing.TB) {
			programtest.Start(tb, shell(`echo $WORD >&2; exit 3`)).Await("coffee")
		}, []string{"sh ended without logging coffee: exit status 3\ntea\n", "log of sh:\ntea\n"}},
		{"never prints it", func(tb testing.TB) {
			startShort(tb, `echo $WORD`+stays).Await("coffee")
		}, []string{"sh did not log coffee within 50ms:\ntea\n", "log of sh:\ntea\n"}},
		{"no pattern", func(tb testing.TB) { programtest.Start(tb, shell("")).Await("(") }, []string{"missing closing )"}},
		{"stops with another status", func(tb testing.TB) {
			p := programtest.Start(tb, shell(`trap 'exit 4' TERM; echo $WORD`+stays))
			p.Await("tea")
			p.Stop()
		}, []string{"sh exited with 4 after SIGTERM:\ntea\n"}},
		{"does not stop", func(tb testing.TB) {
			startShort(tb, `trap '' TERM; echo $WORD`+stays).Stop()
		}, []string{"sh did not end within 50ms:\ntea\n"}},
		{"does not end", func(tb testing.TB) { startShort(tb, "echo tea"+stays).Exit() }, []string{"sh did not end within 50ms:\ntea\n"}},
		{"is gone", func(tb testing.TB) {
			p := programtest.Start(tb, shell(""))
			p.Exit()
			p.Signal(syscall.SIGTERM)
		}, []string{"signal terminated to sh: os: process already finished"}},
		{"is no program", func(tb testing.TB) { programtest.Start(tb, programtest.Config{Path: "/none"}) }, []string{"start none: "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := try(row.test)
			if !r.failed {
				t.Error("the test did not fail")
			}
			for _, want := range row.want {
				if !strings.Contains(r.log.String(), want) {
					t.Errorf("the test logged %q, not %q", r.log.String(), want)
				}
			}
		})
	}
}

// TestProcessOfATest takes a process through its life without a failure.
func TestProcessOfATest(t *testing.T) {
	t.Parallel()
	var p *programtest.TestProcess
	r := try(func(tb testing.TB) {
		p = programtest.Start(tb, shell(`trap 'exit 0' TERM; echo "a word: $WORD, printed"`+stays))
		if word := p.Await(`(a) word: (\S+),`); word != "tea" {
			t.Errorf("the last group is %q", word)
		}
		if match := p.Await(`a w..d`); match != "a word" {
			t.Errorf("the match is %q", match)
		}
		if p.State() != nil {
			t.Errorf("it runs and is %v", p.State())
		}
		p.Stop()
		if code := p.Exit(); code != 0 || p.State().String() != "exit status 0" {
			t.Errorf("it ended with %d, %v", code, p.State())
		}
	})
	if r.failed || r.log.Len() > 0 {
		t.Errorf("failed: %v, and logged %q", r.failed, r.log.String())
	}
}

// TestEndsWithItsTest checks that no process outlives its test, even one that has been
// stopped by a signal, and that it may be killed again.
func TestEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var p *programtest.TestProcess
	try(func(tb testing.TB) {
		p = programtest.Start(tb, shell("echo tea"+stays))
		p.Await("tea")
		p.Signal(syscall.SIGSTOP)
	})
	select {
	case <-p.Done():
	default:
		t.Error("it runs on")
	}
	p.Kill()
	if code := p.Exit(); code != -1 || p.State().String() != "signal: killed" {
		t.Errorf("it ended with %d, %v", code, p.State())
	}
}

// TestLongLog checks that both ends of a log are kept, and the middle is not.
func TestLongLog(t *testing.T) {
	t.Parallel()
	p := programtest.Start(t, shell(`echo first; yes tea | head -c 4000000; echo middle; yes tea | head -c 4000000; echo last`))
	if code := p.Exit(); code != 0 {
		t.Fatalf("it ended with %d", code)
	}
	log := p.Log()
	if !strings.HasPrefix(log, "first\ntea\n") || !strings.HasSuffix(log, "tea\nlast\n") || strings.Contains(log, "middle") {
		t.Errorf("of the log %.20q is kept, and more", log)
	}
	if !strings.Contains(log, " bytes omitted]\n") || len(log) > 4<<20 {
		t.Errorf("%d bytes are kept, and the others are not mentioned", len(log))
	}
	if tail := p.Tail(); len(tail) != 8<<10 || !strings.HasSuffix(log, tail) {
		t.Errorf("the tail has %d bytes", len(tail))
	}
}

// TestMainWithoutPrograms checks that no test runs when a package does not build, and
// that nothing is left behind.
func TestMainWithoutPrograms(t *testing.T) {
	t.Parallel()
	var dir string
	if status := programtest.Main(nil, &dir, "orderprocessor/cmd/none"); status != 1 {
		t.Errorf("the status is %d", status)
	}
	if _, err := os.Stat(dir); dir == "" || !os.IsNotExist(err) {
		t.Errorf("the folder %q is still there: %v", dir, err)
	}
}
