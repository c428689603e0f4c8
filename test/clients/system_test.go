// Package clients_test checks the published specification with what its users have: the
// validator Ajv, and clients generated for TypeScript and Go. npm and the go command
// install the tools when a test runs, in the exact versions that are named here.
package clients_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/spectest"
	"orderprocessor/test/kit"
)

// patience bounds an installation and a build, which take a minute or two.
const patience = 20 * time.Minute

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api", "orderprocessor/cmd/worker"))
}

// system is an API and a worker with a Redis of their own. Every exchange is checked against the
// specification.
type system struct{ *kit.API }

// start runs them until the test ends.
func start(t *testing.T) *system {
	t.Helper()
	server := redistest.Start(t)
	admin := server.Client()
	t.Cleanup(func() { ledgertest.CheckBooks(t, admin) })
	env := programtest.Settings("REDIS_URL="+server.URL(), "ORDERS_MAX_QUEUE_LENGTH=1000000")
	programtest.Start(t, programtest.Config{Path: filepath.Join(binaries, "worker"), Env: env})
	api := programtest.Start(t, programtest.Config{Path: filepath.Join(binaries, "api"), Env: env})
	s := &system{kit.NewAPI(t, "http://"+api.Await(programtest.Listening), spectest.Transport)}
	programtest.Until(t, "orders are worked", func() bool { return s.Send(http.MethodGet, "/health", "").Code == http.StatusOK })
	return s
}

// folder copies a folder of testdata to one of the test's own, and adds the
// specification as the API publishes it.
func (s *system) folder(t *testing.T, name, specification string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/"+name)); err != nil {
		t.Fatal(err)
	}
	got := s.Send(http.MethodGet, "/"+specification, "")
	if got.Code != http.StatusOK {
		t.Fatalf("GET /%s: %d %.300s", specification, got.Code, got.Body)
	}
	if err := os.WriteFile(filepath.Join(dir, specification), got.Body, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// npmInstall installs what the folder's package.json names. Without node, npm or their
// registry the test is skipped, or fails where CI is true.
func npmInstall(t *testing.T, dir string) {
	t.Helper()
	programtest.Need(t, "node")
	programtest.Need(t, "npm")
	install(t, dir, "npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
}

// install runs a command that needs the network. Where it fails the test is skipped, or
// fails where CI is true.
func install(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	out, err := try(t, dir, "", nil, program, args...)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	default:
		t.Skipf("skipped, as what it needs cannot be installed: %s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

// run runs a command in a folder and returns what it prints; the test is over if the
// command fails.
func (s *system) run(t *testing.T, dir, stdin, program string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, stdin, []string{"API_URL=" + s.URL}, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// try returns what a command prints, and after an error also what it complains of.
func try(t *testing.T, dir, stdin string, env []string, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdin, cmd.Env = dir, strings.NewReader(stdin), append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		stdout.Write(stderr.Bytes())
	}
	return stdout.String(), err
}
