package clients_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedTypeScriptClients generates a client with each generator, compiles it and
// has it submit, read, list and cancel orders and read errors.
func TestGeneratedTypeScriptClients(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := s.folder(t, "typescript", "openapi.yaml")
	npmInstall(t, dir)
	tool := func(name string) string { return filepath.Join(dir, "node_modules", ".bin", name) }
	s.run(t, dir, "", tool("openapi-typescript"), "openapi.yaml", "-o", "generated/openapi-typescript.ts")
	s.run(t, dir, "", tool("openapi-ts"), "-i", "openapi.yaml", "-o", "generated/hey-api", "--no-log-file")
	s.run(t, dir, "", tool("orval"), "--config", "orval.config.cjs")
	s.run(t, dir, "", tool("tsc"))
	for _, client := range []string{"openapi-fetch", "hey-api", "orval"} {
		t.Run(client, func(t *testing.T) {
			want(t, s.run(t, dir, "", "node", "built/"+client+".js"))
		})
	}
}

// TestGeneratedGoClients does the same with the generators of Go.
func TestGeneratedGoClients(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := s.folder(t, "golang", "openapi.yaml")
	install(t, dir, "go", "mod", "download")
	s.run(t, dir, "", "go", "generate", "./...")
	for _, client := range []string{"oapi", "ogen"} {
		t.Run(client, func(t *testing.T) {
			want(t, s.run(t, dir, "", "go", "run", "./"+client))
		})
	}
}

func want(t *testing.T, printed string) {
	t.Helper()
	if strings.TrimSpace(printed) != "ok" {
		t.Errorf("the client printed %q", printed)
	}
}
