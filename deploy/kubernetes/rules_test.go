package kubernetes_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// TestRulesAreThoseOfPrometheus holds the alerts of the operator, as kustomize hands
// them on, to those that promtool tests.
func TestRulesAreThoseOfPrometheus(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../prometheus/rules/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := yaml.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"components/monitoring", "overlays/production"} {
		got := specs[map[string]any](parse(t, render(t, folder)), "PrometheusRule")["orderprocessor"]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rules of %s (-Prometheus +operator):\n%s", folder, diff)
		}
	}
}

// TestOperatorFindsWhatIsItsOwn holds the label by which the operator of the example
// chooses, on all that is for it.
func TestOperatorFindsWhatIsItsOwn(t *testing.T) {
	t.Parallel()
	found := 0
	for _, o := range parse(t, render(t, "overlays/production")) {
		if o.Kind != "PodMonitor" && o.Kind != "PrometheusRule" {
			continue
		}
		found++
		if o.Metadata.Labels["release"] == "" {
			t.Errorf("%s %s has no label release", o.Kind, o.Metadata.Name)
		}
	}
	if found != 2 {
		t.Errorf("there are %d for the operator", found)
	}
}
