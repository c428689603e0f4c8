package systems_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"orderprocessor/bench/systems"
	"orderprocessor/internal/programtest"
)

// TestStop ends a process and its child.
func TestStop(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	p, err := systems.Start(log, exec.Command("sh", "-c", "sleep 600 & echo $$; wait"))
	if err != nil {
		t.Fatal(err)
	}
	var group int
	if err := p.Await(t.Context(), "it has a child", func() bool {
		text, _ := os.ReadFile(log)
		group, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return group > 0
	}); err != nil {
		t.Fatal(err)
	}
	p.Stop(syscall.SIGTERM)
	p.Stop(syscall.SIGTERM)
	err = p.Await(t.Context(), "it works", func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "it has ended") {
		t.Errorf("waiting for a process that has ended: %v", err)
	}
	programtest.Until(t, "the child is gone", func() bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) })
}
