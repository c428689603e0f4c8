package api_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"orderprocessor/internal/api"
)

// TestSpecification serves the document as it is, and the same as JSON.
func TestSpecification(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	asYAML := s.ask(t, "GET", "/openapi.yaml", "")
	if asYAML.code != 200 || asYAML.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("answer is %d, %v", asYAML.code, asYAML.header)
	}
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(api.Specification()), string(asYAML.body)); diff != "" || string(file) != string(asYAML.body) {
		t.Errorf("the document is another: %s", diff)
	}
	asJSON := s.ask(t, "GET", "/openapi.json", "")
	if got := asJSON.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	var want any
	if err := yaml.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, any(asJSON.object(t, 200))); diff != "" {
		t.Error(diff)
	}
}
