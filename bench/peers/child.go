package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a server may take after its signal to stop before its
// process group is killed: some write their data once more.
const stopTimeout = 10 * time.Second

// program is a server to run.
type program struct {
	// name is what people call it, and its log file.
	name string
	// path and args are what to run, dir is where.
	path string
	args []string
	dir  string
	// quit is the signal that stops it quickly and in order.
	quit syscall.Signal
	// owner is whose process it is; nil for this one's user.
	owner *syscall.Credential
	// talk connects the standard input and output; without it there is no input,
	// and the output goes to the log.
	talk func(*exec.Cmd) error
}

// child is a server that runs, in a process group of its own.
type child struct {
	name  string
	log   string
	quit  syscall.Signal
	cmd   *exec.Cmd
	ended chan struct{}
}

// startChild runs the program, and ends it with this process if the system can.
func startChild(ctx context.Context, p program, log string) (*child, error) {
	out, err := os.Create(log) //nolint:gosec // below the folder of the peer
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.path, p.args...) //nolint:gosec // the peers say what; stop ends it
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.dir, out, out, apart(p.owner)
	if p.talk != nil {
		cmd.Stdout = nil
		if err := p.talk(cmd); err != nil {
			return nil, err
		}
	}
	c := &child{name: p.name, log: log, quit: p.quit, cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go c.run(started)
	return c, <-started
}

// run starts the process and waits for it on one thread: where a system ends a
// child with its parent, it means the thread.
func (c *child) run(started chan<- error) {
	runtime.LockOSThread()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		_ = c.cmd.Wait()
		close(c.ended)
	}
}

// await returns when the server answers, or a Skipped.
func (c *child) await(ctx context.Context, answers func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(startPoll)
	defer tick.Stop()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.ended:
			return Skipped{Reason: fmt.Sprintf("%s ended at once: %s", c.name, c.said())}
		case <-ctx.Done():
			return Skipped{Reason: fmt.Sprintf("%s does not answer: %v: %s", c.name, err, c.said())}
		}
	}
}

// said returns the end of the log as one line.
func (c *child) said() string {
	f, err := os.Open(c.log)
	if err != nil {
		return "no log"
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(-logTail, io.SeekEnd); err != nil {
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, logTail))
	return strings.Join(strings.Fields(string(text)), " ")
}

// stop ends the process and everything in its group, and returns when they have
// gone.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(c.quit); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
	}
	return c.clear()
}

// clear kills what is left of the group: what the process leaves to end by
// itself, or the process that does not.
func (c *child) clear() error {
	tick := time.NewTicker(startPoll)
	defer tick.Stop()
	for range stopTimeout / startPoll {
		err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("kill %s: %w", c.name, err)
		}
		<-tick.C
	}
	return fmt.Errorf("processes of %s cannot be killed", c.name)
}
