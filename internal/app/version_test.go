package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"orderprocessor/internal/ledger"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	const sha = "0123456789abcdef0123456789abcdef01234567"
	stamped := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: sha}, {Key: "vcs.modified", Value: "true"}}
	for _, row := range []struct {
		name, linked string
		settings     []debug.BuildSetting
		want         string
	}{
		{"nothing known", "", nil, "commit unknown"},
		{"the go command knows", "", stamped, "commit " + sha + " (modified)"},
		{"nothing changed", "", stamped[:2], "commit " + sha},
		{"the linker knows", sha, nil, "commit " + sha},
		{"the linker knows of changes", sha + "-dirty", nil, "commit " + sha + " (modified)"},
		{"the linker knows better", "fedcba", stamped, "commit fedcba"},
	} {
		if got := versionOf(row.linked, row.settings); got != row.want+", "+runtime.Version() {
			t.Errorf("%s: %s", row.name, got)
		}
	}
	var text strings.Builder
	if status := printVersion(&text, "api"); status != ExitOK || text.String() != "api "+Version()+"\n" {
		t.Errorf("exit status %d: %s", status, text.String())
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer func() { _ = full.Close() }()
	if status := printVersion(full, "api"); status != ExitFailure {
		t.Errorf("a version that cannot be written ends with %d", status)
	}
}

// TestVersionNeedsNoSettings holds that --version is answered whatever the environment
// holds.
func TestVersionNeedsNoSettings(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]func(args, environ []string) int{"api": MainAPI, "worker": MainWorker} {
		if status := program([]string{"--version"}, []string{"ORDERS_MAX_ATTEMPTS=many"}); status != ExitOK {
			t.Errorf("%s: exit status %d", name, status)
		}
	}
}

// TestDoctorComparesVersions holds that programs of several builds are a warning, by
// what runs and by what orderctl is.
func TestDoctorComparesVersions(t *testing.T) {
	t.Parallel()
	const one, other = "commit 1, go1", "commit 2, go1"
	none := "commit unknown, go1"
	program := func(kind, version string) ledger.Program {
		return ledger.Program{Kind: kind, Name: kind + version, Version: version}
	}
	for _, row := range []struct {
		name    string
		running []ledger.Program
		own     string
		state   FindingState
		says    string
	}{
		{"one build", []ledger.Program{program("api", one), program("worker", one)}, one, FindingOK, "1 api and 1 worker of " + one},
		{"two builds", []ledger.Program{program("api", one), program("worker", other)}, one, FindingWarning, "1 api of " + one + "; 1 worker of " + other},
		{"two workers", []ledger.Program{program("worker", one), program("worker", other)}, other, FindingWarning, "1 worker of " + one + "; 1 worker of " + other},
		{"another orderctl", []ledger.Program{program("api", one), program("worker", one)}, other, FindingWarning, "orderctl is of " + other},
		{"an orderctl of nobody knows what", []ledger.Program{program("api", one), program("worker", one)}, none, FindingOK, one},
		{"a worker of nobody knows what", []ledger.Program{program("api", one), program("worker", none)}, one, FindingWarning, "1 worker of " + none},
		{"nothing runs", nil, one, FindingNotChecked, "no API and no worker"},
	} {
		f := judgeVersions(row.running, row.own)
		if f.State != row.state || !strings.Contains(f.Found, row.says) || (f.State == FindingWarning) != (f.Advice != "") {
			t.Errorf("%s: %+v", row.name, f)
		}
	}
}
