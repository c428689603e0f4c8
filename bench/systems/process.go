package systems

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// startTimeout bounds the wait for a program that starts. It usually takes far
	// less than a second; loaded machines get the rest.
	startTimeout = 30 * time.Second
	// stopTimeout is how long a program may take to end after its signal.
	stopTimeout = 10 * time.Second
	// pollInterval is the time between two checks of a condition that has no event.
	pollInterval = 5 * time.Millisecond
	// logTail is how much of a program's log an error quotes, in bytes.
	logTail = 2000
)

// Process is a running program with its log in a file.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// Start runs a command in a process group of its own, so that Ctrl-C does not reach it.
// Its errors go to the file log, and its output too unless the command has a pipe for it.
func Start(log string, cmd *exec.Cmd) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // a path of our own making
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stderr = out
	if cmd.Stdout == nil {
		cmd.Stdout = out
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &Process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// Stop sends a signal, kills the process if that does not end it, and kills what is left
// of its group. It returns when the process has ended, and may be called twice.
func (p *Process) Stop(quit syscall.Signal) {
	_ = p.cmd.Process.Signal(quit)
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Await polls until ok returns true. It returns an error with the end of the log if the
// process ends first or the wait takes too long.
func (p *Process) Await(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("wait until %s: it has ended: %s", what, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w: %s", what, ctx.Err(), p.tail())
		}
	}
	return nil
}

// tail returns the end of the log.
func (p *Process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTail):])
}
