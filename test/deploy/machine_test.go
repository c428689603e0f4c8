// Package deploy_test runs the examples of the folder deploy: real Redis servers,
// Sentinels and a proxy from the very files, in which only addresses, ports and
// paths are replaced, and the real programs with them.
package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/cmd/orderctl"))
}

// example copies a file of the folder deploy, with each pair of changes made, and
// returns the path of the copy. A change that finds nothing fails the test.
func example(t *testing.T, name, into string, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(changes); n += 2 {
		if !strings.Contains(string(text), changes[n]) {
			t.Fatalf("%s has no %q to replace", name, changes[n])
		}
	}
	path := filepath.Join(into, strings.ReplaceAll(name, "/", "-"))
	if err := os.WriteFile(path, []byte(strings.NewReplacer(changes...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a program until the test ends.
func start(t *testing.T, env []string, path string, args ...string) *programtest.TestProcess {
	t.Helper()
	return programtest.Start(t, programtest.Config{Path: path, Args: args, Env: env})
}

// need skips the test if a tool cannot be had, and fails it where all must be
// there.
func need(t *testing.T, tool string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s: %v", tool, err)
	default:
		t.Skipf("skipped, as %s is out of reach: %v", tool, err)
	}
}
