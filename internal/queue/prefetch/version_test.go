package prefetch

import (
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	other := &debug.Module{Path: "example.com/other", Version: asynqVersion}
	rows := []struct {
		name  string
		deps  []*debug.Module
		known bool
	}{
		{"the known one", []*debug.Module{other, {Path: asynqPath, Version: asynqVersion}}, true},
		{"a newer one", []*debug.Module{{Path: asynqPath, Version: "v0.26.1"}}, false},
		{"one replaced by another", []*debug.Module{{Path: asynqPath, Version: asynqVersion, Replace: other}}, false},
		{"none", []*debug.Module{other}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := checkVersion(row.deps); errors.Is(err, ErrVersion) == row.known {
				t.Errorf("known %t, got %v", row.known, err)
			}
		})
	}
}

// TestPinned checks that go.mod requires the known version: whoever upgrades Asynq must
// compare the keys in package queue, the SHA-1s in version.go, and whether a repeated
// acknowledgement still has a cancelled context. The other tests of this package help.
func TestPinned(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := asynqPath + " " + asynqVersion + "\n"; strings.Count(string(text), want) != 1 || strings.Contains(string(text), asynqPath+" =>") {
		t.Errorf("go.mod does not require %s", want)
	}
}
