// Package deploy_test runs the examples of the folder deploy: real Redis servers,
// Sentinels and a proxy from the very files, in which only addresses, ports and
// paths are replaced, and the real programs with them.
package deploy_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait; a loaded machine gets what it needs.
const patience = 90 * time.Second

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the programs once for all tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "deploy")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	build := exec.Command("go", "build", "-o", dir, "orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/cmd/orderctl")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs:", err)
		return 1
	}
	return m.Run()
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

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("gave up waiting until %s", what)
		}
	}
}

// freePorts returns TCP ports that nobody uses now.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
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
