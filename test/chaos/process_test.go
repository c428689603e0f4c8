package chaos_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// keptLog is how much of a program's log is kept at each of its ends, bytes.
	keptLog = 64 << 10
	// shownLog is how much of its end is shown, bytes.
	shownLog = 8 << 10
)

// process is one running program. Its methods are safe for concurrent use.
type process struct {
	name string
	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{} // closed when the program has ended
	url  string        // where an API serves clients
	id   string        // how a worker signs its attempts
	told atomic.Bool   // the scenario means it to end
}

// spawn starts a program.
func spawn(name string, env []string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(filepath.Join(binaries, name)), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit status is asked for later
	}()
	return p, nil
}

// wait waits for a line of the log and returns what the pattern's group holds.
func (p *process) wait(pattern string) (string, error) {
	re := regexp.MustCompile(pattern)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := re.FindStringSubmatch(p.log.head()); m != nil {
			return m[1], nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return "", fmt.Errorf("%s ended without logging %s:\n%s", p.name, pattern, p.log.tail())
		case <-deadline.C:
			return "", fmt.Errorf("%s did not log %s:\n%s", p.name, pattern, p.log.tail())
		}
	}
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	p.told.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// terminate sends SIGTERM and returns the exit status.
func (p *process) terminate() (int, error) {
	p.told.Store(true)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("terminate %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, fmt.Errorf("%s did not end within %v of SIGTERM:\n%s", p.name, patience, p.log.tail())
	}
}

// deserted says whether the process ended although nobody meant it to.
func (p *process) deserted() bool {
	select {
	case <-p.done:
		return !p.told.Load()
	default:
		return false
	}
}

// logBuffer keeps the beginning and the end of what a process writes.
type logBuffer struct {
	mu          sync.Mutex
	first, last []byte
}

// Write implements io.Writer.
func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	room := min(keptLog-len(b.first), len(text))
	b.first = append(b.first, text[:room]...)
	b.last = append(b.last, text...)
	if len(b.last) > 2*keptLog {
		b.last = append([]byte(nil), b.last[len(b.last)-keptLog:]...)
	}
	return len(text), nil
}

func (b *logBuffer) head() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.first)
}

// complaints returns the lines at the end that tell of more than orders: panics,
// and errors of the program itself.
func (b *logBuffer) complaints() string {
	_, whole, _ := strings.Cut(b.tail(), "\n") // the first line may be half a one
	var lines strings.Builder
	for line := range strings.Lines(whole) {
		structured := strings.HasPrefix(line, `{"time":`)
		if !structured || strings.Contains(line, `"level":"ERROR"`) && !strings.Contains(line, `"msg":"order settled"`) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

func (b *logBuffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.last[max(0, len(b.last)-shownLog):])
}
