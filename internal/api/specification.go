package api

import _ "embed"

//go:embed openapi.yaml
var specification string

// Specification returns the OpenAPI document of the API, as YAML.
func Specification() []byte { return []byte(specification) }
