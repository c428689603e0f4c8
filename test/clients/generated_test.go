package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The generator of the Go client, and the modules that its code needs.
const (
	oapiCodegen = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
	oapiRuntime = "github.com/oapi-codegen/runtime@v1.9.0"
	oapiYAML    = "go.yaml.in/yaml/v3@v3.0.5"
)

// TestGeneratedTypeScriptClient generates a client, compiles it and has it submit, read,
// list and cancel orders and read errors.
func TestGeneratedTypeScriptClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := s.folder(t, "node", "openapi.yaml")
	npmInstall(t, dir)
	tool := func(name string) string { return filepath.Join(dir, "node_modules", ".bin", name) }
	s.run(t, dir, "", tool("openapi-typescript"), "openapi.yaml", "-o", "generated/api.ts")
	s.run(t, dir, "", tool("tsc"))
	wantOK(t, s.run(t, dir, "", "node", "built/client.js"))
}

// TestGeneratedGoClient does the same in Go.
func TestGeneratedGoClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := s.folder(t, "golang", "openapi.yaml")
	if err := os.Mkdir(filepath.Join(dir, "client"), 0o700); err != nil {
		t.Fatal(err)
	}
	install(t, dir, "go", "mod", "init", "clients")
	install(t, dir, "go", "run", oapiCodegen, "-generate", "types,client", "-package", "client", "-o", "client/client.go", "openapi.yaml")
	install(t, dir, "go", "get", oapiRuntime, oapiYAML)
	install(t, dir, "go", "mod", "tidy")
	wantOK(t, s.run(t, dir, "", "go", "run", "."))
}

func wantOK(t *testing.T, printed string) {
	t.Helper()
	if strings.TrimSpace(printed) != "ok" {
		t.Errorf("the client printed %q", printed)
	}
}
