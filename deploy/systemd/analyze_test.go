package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exposure is how much of the machine a service may reach at most, from 0 to 100
// as systemd-analyze counts.
const exposure = "20"

// install copies the units into a folder of their own, with a program that is
// there, and returns it. Each pair of changes replaces one text by another.
func install(t *testing.T, changes ...string) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no systemd-analyze; install the package systemd")
		}
		t.Skip("skipped, as there is no systemd-analyze on the PATH")
	}
	dir := t.TempDir()
	program := regexp.MustCompile(`/opt/orderprocessor/bin/\w+`)
	for from, to := range map[string]string{
		apiUnit: apiUnit, workerUnit: "orderprocessor-worker@" + instance + ".service",
		commonUnit: commonUnit, "orderprocessor.target": "orderprocessor.target",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		text = program.ReplaceAll(text, []byte("/bin/true"))
		path := filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.NewReplacer(changes...).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// verify returns what systemd remarks on the units; nothing if all is well.
func verify(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", filepath.Join(dir, apiUnit),
		filepath.Join(dir, "orderprocessor-worker@"+instance+".service"), filepath.Join(dir, "orderprocessor.target")).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	var remarks strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "orderprocessor") { // others speak of this machine's own units
			remarks.WriteString(line)
		}
	}
	return remarks.String()
}

func TestSystemdReadsTheUnits(t *testing.T) {
	t.Parallel()
	if remarks := verify(t, install(t)); remarks != "" {
		t.Error(remarks)
	}
	for _, changes := range [][]string{
		{"TimeoutStopSec", "TimeoutStopSecs"},
		{"ProtectSystem=strict", "ProtectSystem=very"},
		{"/bin/true", "/bin/untrue"},
	} {
		if remarks := verify(t, install(t, changes...)); remarks == "" {
			t.Errorf("nobody notices %s", changes[1])
		}
	}
}

// TestUnitsAreContained holds how little the services may do, also the worker,
// which is an instance.
func TestUnitsAreContained(t *testing.T) {
	t.Parallel()
	for _, name := range []string{apiUnit, "orderprocessor-worker@" + instance + ".service"} {
		if out, err := secure(t, filepath.Join(install(t), name)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		open := install(t, "CapabilityBoundingSet=", "", "SystemCallFilter=", "#")
		if _, err := secure(t, filepath.Join(open, name)); err == nil {
			t.Errorf("%s may have all capabilities and calls", name)
		}
	}
}

func secure(t *testing.T, path string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold="+exposure, path).CombinedOutput()
	return string(out), err
}
