// Package kubernetes_test checks the manifests of this folder as kustomize puts
// them together: against the schemas of Kubernetes, KEDA and the Prometheus
// operator, against the configuration that the programs accept, and against what
// the guarantees rest on. It needs no cluster.
//
// The tools and the schemas come as Go modules, by version and checksum, and stay
// in Go's module cache. Where they cannot be had the tests are skipped and say
// why; with CI=true they fail instead.
package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// kustomizeModule is the kustomize that renders the manifests: the newest that
	// the Go version of this module builds.
	kustomizeModule = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2"
	// kubeconformModule is what compares them with the schemas.
	kubeconformModule = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
	// toolTimeout bounds one run of a tool, the first of which fetches and builds it.
	toolTimeout = 30 * time.Minute
)

// kustomizeAvailable says why kustomize cannot run here; nil if it can.
var kustomizeAvailable = sync.OnceValue(func() error {
	_, err := goTool("run", kustomizeModule, "version")
	return err
})

// kubeconformAvailable says why kubeconform cannot run here; nil if it can.
var kubeconformAvailable = sync.OnceValue(func() error {
	_, err := goTool("run", kubeconformModule, "-v")
	return err
})

// goTool runs the go command and returns what it wrote.
func goTool(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return string(out), fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, ended.Stderr)
	}
	return string(out), err
}

// require skips the test if something that it needs cannot be had, and fails it
// where everything must be there.
func require(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skipf("skipped, as a tool is out of reach: %v", err)
	}
}

// build returns what kustomize makes of a folder.
func build(dir string) (string, error) {
	return goTool("run", kustomizeModule, "build", "--load-restrictor", "LoadRestrictionsNone", dir)
}
