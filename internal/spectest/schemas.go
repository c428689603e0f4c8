package spectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
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
	if err := limitDecimals(exact); err != nil {
		return schemas{}, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseRegexpEngine(compilePattern)
	c.AssertFormat() // else a date-time is any string
	return schemas{c}, c.AddResource(place, exact)
}

// limitDecimals has the schema of amounts say what the specification can only say in
// words: `multipleOf` is exact here, and is not where others divide in binary.
func limitDecimals(doc any) error {
	amount := doc
	for _, step := range []string{"components", "schemas", "Amount"} {
		object, _ := amount.(map[string]any)
		amount = object[step]
	}
	object, ok := amount.(map[string]any)
	if !ok {
		return errors.New("#/components/schemas/Amount is missing")
	}
	object["multipleOf"] = json.Number("0.01")
	return nil
}

// compilePattern reads a pattern as JavaScript does, whose white space is that of
// Unicode; the specification writes it in brackets only.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	re, err := regexp.Compile(strings.ReplaceAll(pattern, `\s`, `\s\v\x{FEFF}\p{Z}`))
	if err != nil {
		return nil, err
	}
	return re, nil
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
