package kubernetes_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// folders lists what is rendered and checked: the base, every overlay, and every
// component on top of the base alone.
func folders(t *testing.T) []string {
	t.Helper()
	folders := []string{"base"}
	for _, pattern := range []string{"overlays/*", "components/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no folder is like %s: %v", pattern, err)
		}
		folders = append(folders, found...)
	}
	return folders
}

// renderings are those that tests have asked for, each made once.
var renderings sync.Map

// render returns what kustomize makes of one of the folders.
func render(t *testing.T, folder string) string {
	t.Helper()
	require(t, kustomizeAvailable())
	once, _ := renderings.LoadOrStore(folder, sync.OnceValues(func() (string, error) { return rendering(folder) }))
	out, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func rendering(folder string) (string, error) {
	if !strings.HasPrefix(folder, "components/") {
		return build(folder)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "kustomize")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	up, err := filepath.Rel(dir, here)
	if err != nil {
		return "", err
	}
	text := "kind: Kustomization\nnamespace: orderprocessor\nresources: [" + up + "/base]\ncomponents: [" + up + "/" + folder + "]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		return "", err
	}
	return build(dir)
}

// TestManifestsFitTheirSchemas holds every rendering, the example of the Secrets and
// the Job by itself to the oldest and a recent Kubernetes.
func TestManifestsFitTheirSchemas(t *testing.T) {
	t.Parallel()
	require(t, kubeconformAvailable())
	manifests := t.TempDir()
	for _, folder := range folders(t) {
		write(t, filepath.Join(manifests, strings.ReplaceAll(folder, "/", "-")+".yaml"), render(t, folder))
	}
	for _, file := range []string{"secrets.example.yaml", "doctor.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(manifests, file), string(text))
	}
	kinds := kindsIn(t, manifests)
	for _, kubernetes := range []source{oldestKubernetes, recentKubernetes} {
		t.Run(kubernetes.module, func(t *testing.T) {
			t.Parallel()
			schemas := schemasFor(t, kubernetes, kinds)
			if err := kubeconform(schemas, manifests); err != nil {
				t.Error(err)
			}
			checkStrict(t, schemas, filepath.Join(manifests, "overlays-production.yaml"))
		})
	}
}

// kindsIn returns the kinds of all manifests of a folder.
func kindsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	kinds := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range parse(t, string(text)) {
			kinds[o.Kind] = true
		}
	}
	return kinds
}

// schemasFor returns a folder with the schemas of these kinds.
func schemasFor(t *testing.T, kubernetes source, kinds map[string]bool) string {
	t.Helper()
	dir := t.TempDir()
	if n := writeBuiltIn(t, kubernetes, dir, kinds); n < 100 {
		t.Fatalf("%s has only %d kinds", kubernetes.module, n)
	}
	writeCustom(t, keda, "config/crd/bases/keda.sh_scaledobjects.yaml", dir)
	writeCustom(t, keda, "config/crd/bases/keda.sh_triggerauthentications.yaml", dir)
	writeCustom(t, operator, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml", dir)
	writeCustom(t, operator, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml", dir)
	return dir
}

// checkStrict misspells something in a good manifest and wants it to be noticed:
// schemas that allow everything would pass all.
func checkStrict(t *testing.T, schemas, good string) {
	t.Helper()
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, old, broken string }{
		{"a field of a pod", "readOnlyRootFilesystem:", "readOnlyRootFileSystem:"},
		{"a field of a policy", "podSelector:", "podselector:"},
		{"the type of a number", "maxReplicas: 6", "maxReplicas: six"},
		{"a field of KEDA", "pollingInterval:", "pollInterval:"},
		{"a choice of KEDA", "currentReplicasIfHigher", "currentReplicasIfEver"},
		{"a field of the Prometheus operator", "podTargetLabels:", "targetLabels2:"},
		{"a field of a rule", "annotations:\n        description", "notes:\n        description"},
		{"an unknown kind", "kind: PodMonitor", "kind: PodWatcher"},
	} {
		broken := strings.Replace(string(text), row.old, row.broken, 1)
		if broken == string(text) {
			t.Errorf("%s: nothing to break", row.name)
		}
		path := filepath.Join(t.TempDir(), "broken.yaml")
		write(t, path, broken)
		if err := kubeconform(schemas, path); err == nil {
			t.Errorf("%s may be wrong", row.name)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
