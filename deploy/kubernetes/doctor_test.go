package kubernetes_test

import (
	"os"
	"slices"
	"testing"
)

// TestDoctorKeepsTheRulesOfPods holds the Job, which no overlay has, to the rules of
// what runs beside it, and to what it needs: a way to the API and to Redis, and no
// policy that denies it the rest.
func TestDoctorKeepsTheRulesOfPods(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doctor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	job := parse(t, string(text))
	for _, name := range []string{"restricted", "links", "memory", "images", "references"} {
		for _, sentence := range checks()[name](job) {
			t.Errorf("%s: %s", name, sentence)
		}
	}
	w, ok := job.workloads()["orderprocessor-doctor"]
	if !ok || len(w.Template.Spec.Containers) != 1 {
		t.Fatal("there is no such Job, or it has not one container")
	}
	labels := w.Template.Metadata.Labels
	production := parse(t, render(t, "overlays/production"))
	for name, p := range specs[policy](production, "NetworkPolicy") {
		if p.Pods.matches(labels) {
			t.Errorf("the policy %s is for it", name)
		}
	}
	if labels["orderprocessor-clients"] != "true" {
		t.Error("the API does not let it in")
	}
	c := w.Template.Spec.Containers[0]
	services := specs[any](production, "Service")
	if _, found := services["orderprocessor-api"]; !found || job.value(c, "ORDERCTL_API") != "http://orderprocessor-api" {
		t.Errorf("it asks for the API at %q", job.value(c, "ORDERCTL_API"))
	}
	if !slices.Contains(w.Template.Spec.secretKeys(), secretKey{"orderprocessor-redis", "url"}) {
		t.Error("it does not know where Redis is")
	}
}
