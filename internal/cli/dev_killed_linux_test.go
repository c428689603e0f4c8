package cli_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"orderprocessor/internal/programtest"
)

func TestDevKilledLeavesNoRedisBehind(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	orderctl(t, "dev", "--sample", "10", "--http", anyPort, "--data", folder).mustExit(t, 0)

	var out programtest.Log
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the output of the dev that was to be killed:\n%s", out.String())
		}
	})
	killed := exec.Command(os.Args[0], "dev", "--http", anyPort, "--data", folder)
	killed.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+t.TempDir())
	killed.Stdout, killed.Stderr = &out, &out
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	programtest.Until(t, "dev has started", func() bool { return regexp.MustCompile("Press Ctrl-C").MatchString(out.String()) })
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()

	var next *command
	programtest.Until(t, "the folder can be used again", func() bool {
		next = orderctl(t, "dev", "--sample", "10", "--http", anyPort, "--data", folder)
		return next.status == 0
	})
	next.mustExit(t, 0, `Accepted since the books began: 20\.`)
}
