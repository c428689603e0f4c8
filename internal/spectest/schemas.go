package spectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// place is the address under which the schemas refer to one another.
const place = "mem:///openapi.yaml"

// schemas compiles the schemas of the specification.
type schemas struct{ compiler *jsonschema.Compiler }

func newSchemas(text []byte) (schemas, error) {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return schemas{}, err
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		return schemas{}, err
	}
	exact, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)) // bounds keep their decimals
	if err != nil {
		return schemas{}, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat() // else a date-time is any string
	return schemas{c}, c.AddResource(place, exact)
}

// at compiles the schema at a pointer such as "#/components/schemas/Order".
func (s schemas) at(pointer string) (*jsonschema.Schema, error) {
	return s.compiler.Compile(place + pointer)
}

// below extends a pointer.
func below(pointer string, tokens ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	steps := append(make([]string, 0, 1+len(tokens)), pointer)
	for _, token := range tokens {
		steps = append(steps, url.PathEscape(escape.Replace(token)))
	}
	return strings.Join(steps, "/")
}

// judge says what is wrong with a value.
func judge(schema *jsonschema.Schema, value any) error {
	err := schema.Validate(value)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	_, reasons, _ := strings.Cut(invalid.Error(), "\n") // the first line names the schema
	return fmt.Errorf("%.*s", maxReason, reasons)
}
