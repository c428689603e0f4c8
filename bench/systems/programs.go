// Package systems runs what is measured as real processes: a private Redis, our
// API and worker, and others that are built here.
//
// It receives settings and hands on running systems whose books can be read. It
// owns the processes and their files until Close. Nothing outlives Close.
package systems

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kind is one of the systems.
type Kind string

// The kinds.
const (
	// Ours is cmd/api and cmd/worker with their default settings.
	Ours Kind = "ours"
	// Plain is Ours with workers on plain Asynq servers: ORDERS_WORKER_PREFETCH=false.
	Plain Kind = "ours, plain Asynq servers"
	// Base is Ours as another commit has it.
	Base Kind = "base commit"
	// Naive is bench/naive: the same libraries, wired as in their introductions.
	Naive Kind = "naive"
)

// Programs are the built binaries.
type Programs struct {
	root string // of the main module
	dir  string // for binaries and data
	base bool   // that of another commit are built too
}

// Build builds all programs into dir, which stays the caller's to remove. The
// suite must run inside its own module. base is a checkout of the commit for Base, or empty.
func Build(ctx context.Context, dir, base string) (*Programs, error) {
	root, err := goTool(ctx, "list", "-m", "-f", "{{.Dir}}", "orderprocessor")
	if err != nil {
		return nil, err
	}
	p := &Programs{root: strings.TrimSpace(root), dir: dir, base: base != ""}
	// Ours is built as its users build it: with the versions of the main module.
	if _, err := goTool(ctx, "build", "-C", p.root, "-o", dir, "./cmd/api", "./cmd/worker"); err != nil {
		return nil, err
	}
	if p.base {
		if _, err := goTool(ctx, "build", "-C", base, "-o", p.Binary(baseDir)+"/", "./cmd/api", "./cmd/worker"); err != nil {
			return nil, err
		}
	}
	_, err = goTool(ctx, "build", "-o", dir, "orderprocessor/bench/naive", "orderprocessor/bench/river")
	return p, err
}

// goTool runs the go command, and returns what it prints.
func goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // fixed words and paths of our own making
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, problems.String())
	}
	return string(out), nil
}

// baseDir is the directory in dir for the programs of Base.
const baseDir = "base"

// HasBase reports whether Base can be opened.
func (p *Programs) HasBase() bool { return p.base }

// Binary is the path of a program.
func (p *Programs) Binary(name string) string { return filepath.Join(p.dir, name) }

// Root is the directory of the main module.
func (p *Programs) Root() string { return p.root }

// Dir is where binaries and data are.
func (p *Programs) Dir() string { return p.dir }

// Version is the version of a module in the API that was built, empty when it is
// not in there, and of Go for "go".
func (p *Programs) Version(module string) (string, error) {
	info, err := buildinfo.ReadFile(p.Binary("api"))
	if err != nil {
		return "", fmt.Errorf("read version of %s: %w", module, err)
	}
	if module == "go" {
		return info.GoVersion, nil
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version, nil
		}
	}
	return "", nil
}

// commands are how the API and the worker of a kind are called.
func (p *Programs) commands(k Kind) (api, worker []string) {
	switch k {
	case Naive:
		return []string{p.Binary("naive"), "api"}, []string{p.Binary("naive"), "worker"}
	case Base:
		return []string{filepath.Join(p.Binary(baseDir), "api")}, []string{filepath.Join(p.Binary(baseDir), "worker")}
	default:
		return []string{p.Binary("api")}, []string{p.Binary("worker")}
	}
}
