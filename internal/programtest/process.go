package programtest

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// waitDelay bounds the wait for the output of a process that has ended. A child may still
// hold it, such as that of Redis which writes its file.
const waitDelay = 5 * time.Second

// Config describes a process.
type Config struct {
	// Path is the path of the program, or its name on the PATH.
	Path string
	// Args are its arguments without its name.
	Args []string
	// Env is added to the environment of the test, as NAME=value.
	Env []string
	// Patience bounds each wait for the process; 0 means the constant of that name.
	Patience time.Duration
}

// Process is one running program. Its methods are safe for concurrent use.
type Process struct {
	name     string
	cmd      *exec.Cmd
	log      Log
	patience time.Duration
	done     chan struct{} // closed when it has ended
}

// Launch starts a process. The caller must Kill it in the end.
func Launch(cfg Config) (*Process, error) {
	p := &Process{
		name:     filepath.Base(cfg.Path),
		cmd:      exec.Command(cfg.Path, cfg.Args...), //nolint:gosec,noctx // tests choose the program, and Kill ends it
		patience: cmp.Or(cfg.Patience, Patience),
		done:     make(chan struct{}),
	}
	p.cmd.Env = append(p.cmd.Environ(), cfg.Env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.WaitDelay = waitDelay
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // State returns how it ended
	}()
	return p, nil
}

// String is the name of the program.
func (p *Process) String() string { return p.name }

// Await waits until the log matches the regular expression. It returns the text of its
// last group, or the whole match if it has none. If the process ends or the time is up
// before that, the error contains the end of the log.
func (p *Process) Await(pattern string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", fmt.Errorf("await a text of %s: %w", p, err)
	}
	var found []string
	ended := false
	Poll(p.patience, func() bool {
		ended = p.State() != nil // asked first: then the log is complete
		found = re.FindStringSubmatch(p.Log())
		return found != nil || ended
	})
	switch {
	case found != nil:
		return found[len(found)-1], nil
	case ended:
		return "", fmt.Errorf("%s ended without logging %s: %v\n%s", p, pattern, p.State(), p.Tail())
	default:
		return "", fmt.Errorf("%s did not log %s within %v:\n%s", p, pattern, p.patience, p.Tail())
	}
}

// Log returns what the process has written to its standard output and error. A long log
// is cut to its first and last megabyte.
func (p *Process) Log() string { return p.log.String() }

// Tail returns the last eight kilobytes of the log, for messages.
func (p *Process) Tail() string {
	text := p.Log()
	return text[max(0, len(text)-shownLog):]
}

// Signal sends a signal. It is an error if the process has ended.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s to %s: %w", sig, p, err)
	}
	return nil
}

// Done is closed when the process has ended and its log is complete.
func (p *Process) Done() <-chan struct{} { return p.done }

// State returns how the process ended, or nil while it runs.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.done:
		return p.cmd.ProcessState
	default:
		return nil
	}
}

// Exit waits for the end and returns the exit status, -1 after a signal. If the process
// does not end, the error contains the end of the log.
func (p *Process) Exit() (int, error) {
	late := time.NewTimer(p.patience)
	defer late.Stop()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-late.C:
		return 0, fmt.Errorf("%s did not end within %v:\n%s", p, p.patience, p.Tail())
	}
}

// Stop sends SIGTERM and waits for the end. If the exit status is not 0, the error
// contains the end of the log.
func (p *Process) Stop() error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	code, err := p.Exit()
	if err == nil && code != 0 {
		err = fmt.Errorf("%s exited with %d after SIGTERM:\n%s", p, code, p.Tail())
	}
	return err
}

// Kill ends the process as kill -9 does, and waits until it has ended. It may be called
// twice, and after the end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
