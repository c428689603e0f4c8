package deploy_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestScalerFindsItsFigures checks that GET /stats has the figures that the autoscaler of
// workers asks for, and that a key with the scope read alone gets them.
func TestScalerFindsItsFigures(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	key := newKey(t, keys, "read")
	f := startSystem(t, 1, startRedis(t), "ORDERS_API_KEYS_FILE="+keys)
	got := f.Send(http.MethodGet, "/stats", "", "Authorization", "Bearer "+key)
	var stats any
	if err := json.Unmarshal(got.Body, &stats); err != nil {
		t.Fatalf("%d: %v", got.Code, err)
	}
	scaler := readFile(t, "../../deploy/kubernetes/components/autoscaling-worker-keda/autoscaler.yaml")
	for _, found := range regexp.MustCompile(`valueLocation: (\S+)`).FindAllStringSubmatch(scaler, -1) {
		if _, number := at(stats, found[1]).(float64); !number {
			t.Errorf("%s is %v in %s", found[1], at(stats, found[1]), got.Body)
		}
	}
}

// at follows a path of names that are separated by dots.
func at(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// newKey creates a key with some scopes, writes its line to a file and returns it.
func newKey(t *testing.T, file string, scopes ...string) string {
	t.Helper()
	args := []string{"keys", "new", "--name", "shop"}
	for _, scope := range scopes {
		args = append(args, "--scope", scope)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(binaries, "orderctl"), args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	key, line := regexp.MustCompile(`ok_\S+`).Find(out), regexp.MustCompile(`shop:\S+`).Find(out)
	if err := os.WriteFile(file, line, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(key)
}
