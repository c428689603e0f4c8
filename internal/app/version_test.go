package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
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
