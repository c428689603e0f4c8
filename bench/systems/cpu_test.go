package systems_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"orderprocessor/bench/systems"
	"orderprocessor/internal/programtest"
)

// TestFamilyCPU counts the time of a child while it runs, and when it has ended.
func TestFamilyCPU(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command("sh", "-c", "(while :; do :; done) & read line; kill $!; wait; echo ended; sleep 600")
	end, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := systems.Start(log, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(syscall.SIGKILL) })
	const some = 200 * time.Millisecond // far more than the shell needs itself
	var running time.Duration
	programtest.Until(t, "the child has used some time", func() bool {
		running = familyCPU(t, p)
		return running > some
	})
	if alone, err := p.CPU(); alone > some || err != nil {
		t.Errorf("the process alone has used %v, %v", alone, err)
	}
	if err := end.Close(); err != nil {
		t.Fatal(err)
	}
	programtest.Until(t, "the child has ended", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && len(text) > 0
	})
	if ended := familyCPU(t, p); ended < running {
		t.Errorf("%v with a child that has ended, %v before", ended, running)
	}
}

func familyCPU(t *testing.T, p *systems.Process) time.Duration {
	t.Helper()
	used, err := p.FamilyCPU()
	if err != nil {
		t.Fatal(err)
	}
	return used
}
