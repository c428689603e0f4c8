package chaos_test

import (
	"path/filepath"
	"strings"
	"sync/atomic"

	"orderprocessor/internal/programtest"
)

// process is one running program, and what the scenario knows of it. Its methods are
// safe for concurrent use.
type process struct {
	*programtest.Process
	url  string      // where an API serves clients
	id   string      // how a worker signs its attempts
	told atomic.Bool // the scenario means it to end
}

// spawn starts a program.
func spawn(name string, env []string) (*process, error) {
	p, err := programtest.Launch(programtest.Config{Path: filepath.Join(binaries, name), Env: env, Patience: patience})
	if err != nil {
		return nil, err
	}
	return &process{Process: p}, nil
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	p.told.Store(true)
	p.Kill()
}

// stop ends the process with SIGTERM, and wants exit status 0.
func (p *process) stop() error {
	p.told.Store(true)
	return p.Stop()
}

// deserted says whether the process ended although nobody meant it to.
func (p *process) deserted() bool { return p.State() != nil && !p.told.Load() }

// complaints returns the lines at the end that tell of more than orders: panics,
// and errors of the program itself.
func (p *process) complaints() string {
	_, whole, _ := strings.Cut(p.Tail(), "\n") // the first line may be half a one
	var lines strings.Builder
	for line := range strings.Lines(whole) {
		structured := strings.HasPrefix(line, `{"time":`)
		if !structured || strings.Contains(line, `"level":"ERROR"`) && !strings.Contains(line, `"msg":"order settled"`) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
