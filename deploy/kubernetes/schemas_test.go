package kubernetes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// source is a Go module that holds schemas, and the checksum of its content.
type source struct{ module, sum string }

// The modules of the schemas. Of Kubernetes, the oldest that the manifests are for
// and a recent one.
var (
	oldestKubernetes = source{"k8s.io/kubernetes@v1.30.14", "h1:MrlKXh9uhLIJpyxOeXhcndzRVSvwiV9iJ8NgH8nqPsg="}
	recentKubernetes = source{"k8s.io/kubernetes@v1.37.2", "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE="}
	keda             = source{"github.com/kedacore/keda/v2@v2.21.0", "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps="}
	operator         = source{"github.com/prometheus-operator/prometheus-operator@v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="}
)

// fetch returns the folder of the module in Go's module cache.
func (s source) fetch(t *testing.T) string {
	t.Helper()
	out, err := goTool("mod", "download", "-json", s.module)
	require(t, err)
	var module struct{ Dir, Sum string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		t.Fatalf("answer about %s: %v", s.module, err)
	}
	if module.Sum != s.sum {
		t.Fatalf("%s has the checksum %s, not %s", s.module, module.Sum, s.sum)
	}
	return module.Dir
}

// schema is a JSON schema, or a part of one.
type schema = map[string]any

// writeBuiltIn writes a schema for each of these kinds of Kubernetes into a folder, and
// returns how many kinds there are in all.
func writeBuiltIn(t *testing.T, s source, into string, kinds map[string]bool) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.fetch(t), "api/openapi-spec/swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var specification struct{ Definitions map[string]schema }
	if err := json.Unmarshal(text, &specification); err != nil {
		t.Fatal(err)
	}
	all, known := specification.Definitions, 0
	for _, definition := range all {
		tighten(definition)
	}
	for name, definition := range all {
		for _, kind := range kindsOf(definition) {
			known++
			if !kinds[kind.kind] {
				continue
			}
			writeSchema(t, into, kind, schema{"$ref": "#/definitions/" + name, "definitions": reached(all, name)})
		}
	}
	return known
}

// groupVersionKind is how Kubernetes names a kind.
type groupVersionKind struct{ group, version, kind string }

// file is the name under which kubeconform looks for the kind's schema.
func (k groupVersionKind) file() string {
	group, _, _ := strings.Cut(k.group, ".")
	parts := []string{k.kind, group, k.version}
	if group == "" {
		parts = []string{k.kind, k.version}
	}
	return strings.ToLower(strings.Join(parts, "-")) + ".json"
}

// kindsOf returns the kinds that a definition describes: one, or none for a part
// of others.
func kindsOf(definition schema) []groupVersionKind {
	entries, _ := definition["x-kubernetes-group-version-kind"].([]any)
	if len(entries) != 1 {
		return nil
	}
	entry, _ := entries[0].(schema)
	part := func(name string) string { text, _ := entry[name].(string); return text }
	return []groupVersionKind{{part("group"), part("version"), part("kind")}}
}

// reached returns a definition and all that it refers to.
func reached(all map[string]schema, name string) map[string]schema {
	found := map[string]schema{}
	var follow func(value any)
	follow = func(value any) {
		switch v := value.(type) {
		case schema:
			target, _ := v["$ref"].(string)
			target = strings.TrimPrefix(target, "#/definitions/")
			if _, known := found[target]; target != "" && !known {
				found[target] = all[target]
				follow(all[target])
			}
			for _, part := range v {
				follow(part)
			}
		case []any:
			for _, part := range v {
				follow(part)
			}
		}
	}
	follow(schema{"$ref": name})
	return found
}

// writeCustom writes a schema for each version of a custom kind.
func writeCustom(t *testing.T, s source, path, into string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.fetch(t), path))
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct {
					Whole schema `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	for _, version := range definition.Spec.Versions {
		tighten(version.Schema.Whole)
		writeSchema(t, into, groupVersionKind{definition.Spec.Group, version.Name, definition.Spec.Names.Kind}, version.Schema.Whole)
	}
}

// tighten turns what Kubernetes says of its objects into JSON Schema, all the way
// down: nothing but the named properties, and numbers or text where it takes both.
func tighten(value any) {
	switch v := value.(type) {
	case schema:
		tightenObject(v)
		for _, part := range v {
			tighten(part)
		}
	case []any:
		for _, part := range v {
			tighten(part)
		}
	}
}

func tightenObject(v schema) {
	properties, named := v["properties"].(schema)
	open, _ := v["x-kubernetes-preserve-unknown-fields"].(bool)
	if _, said := v["additionalProperties"]; named && len(properties) > 0 && !said && !open && v["type"] == "object" {
		v["additionalProperties"] = false
	}
	number, _ := v["x-kubernetes-int-or-string"].(bool)
	if v["format"] == "int-or-string" || number {
		delete(v, "format")
		v["type"] = []any{"integer", "string"}
	}
}

func writeSchema(t *testing.T, into string, kind groupVersionKind, content schema) {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(into, kind.file()), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// kubeconform compares manifests with the schemas of a folder, strictly.
func kubeconform(schemas, manifests string) error {
	out, err := goTool("run", kubeconformModule, "-strict", "-summary",
		"-schema-location", filepath.Join(schemas, "{{.ResourceKind}}{{.KindSuffix}}.json"), manifests)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSpace(out), err)
	}
	if !strings.Contains(out, "Valid: ") || strings.Contains(out, "Valid: 0,") {
		return errors.New("kubeconform looked at nothing: " + out)
	}
	return nil
}
