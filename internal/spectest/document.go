package spectest

import "orderprocessor/internal/api"

// document returns the specification as it is served, in YAML.
func document() ([]byte, error) { return api.Specification(), nil }
