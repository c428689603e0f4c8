package systems

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/procfs"
)

const (
	// startTimeout bounds the wait for a program that starts; it usually takes far
	// below a second, and loaded machines get the rest.
	startTimeout = 30 * time.Second
	// look is how often something that has no event is looked at.
	look = 5 * time.Millisecond
	// logTail is how much of a program's log an error quotes, in bytes.
	logTail = 2000
)

// process is a child with its log in a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// start runs a program whose output goes to the file log, with env added to
// the environment of this process.
func start(log string, env []string, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // a path of our own making
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(name, args...) //nolint:gosec,noctx // it outlives the call that starts it, and stop ends it
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, apart()
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// stop ends the process at once and waits until it is gone. What it was to keep
// has been checked before. It may be called twice.
func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// await asks until ok says yes, the process has ended, or it takes too long.
func (p *process) await(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(look)
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

// tail is the end of the log.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTail):])
}

// cpu is how much time of a processor the process has taken so far.
func (p *process) cpu() (time.Duration, error) {
	proc, err := procfs.NewProc(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return time.Duration(stat.CPUTime() * float64(time.Second)), nil
}

// resident is how much memory the process holds, in bytes.
func (p *process) resident() (int, error) {
	proc, err := procfs.NewProc(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return stat.ResidentMemory(), nil
}
