// Package scripts_test runs the shell scripts of this repository against programs
// that only pretend.
package scripts_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVuln checks that vuln.sh fails for everything but a database that is out of reach.
func TestVuln(t *testing.T) {
	t.Parallel()
	const away = "govulncheck: fetching vulnerabilities: Get \"https://vuln.go.dev/index\": no such host"
	for _, row := range []struct {
		name   string
		says   string // what govulncheck says
		ends   int    // and ends with
		db     string // VULN_DB
		status int
		want   string
	}{
		{"nothing found", "No vulnerabilities found.", 0, "", 0, "No vulnerabilities found."},
		{"one found", "Vulnerability #1: GO-2026-4950", 3, "", 3, "Vulnerability #1: GO-2026-4950"},
		{"out of reach", away, 1, "", 0, `vuln: skipped, as the database of vulnerabilities is out of reach: Get "https://vuln.go.dev/index": no such host`},
		{"another one out of reach", away, 1, "https://mirror.example", 1, away},
		{"does not build", "govulncheck: loading packages: no", 1, "", 1, "govulncheck: loading packages: no"},
		{"no such tool", "go: no such tool \"govulncheck\"", 2, "", 2, "go: no such tool \"govulncheck\""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			out, status := run(t, row.says, row.ends, "VULN_DB="+row.db)
			if status != row.status || strings.TrimSpace(out) != row.want {
				t.Errorf("ended with %d: %s\nwant %d: %s", status, out, row.status, row.want)
			}
		})
	}
}

// run runs vuln.sh with a go command that prints and exits with what the test gives it.
func run(t *testing.T, says string, ends int, environ ...string) (out string, status int) {
	t.Helper()
	bin := t.TempDir()
	program := fmt.Sprintf("#!/bin/sh\ncat >&2 <<'END'\n%s\nEND\nexit %d\n", says, ends)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "../../scripts/vuln.sh")
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, environ...)
	text, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}
