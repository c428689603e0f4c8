// Package spectest holds HTTP traffic to the specification of the API.
//
// It receives the requests of a test and the answers to them, hands both on as
// they are, and fails the test where they are not what the specification says:
// Transport does so for an http.Client. It owns nothing but the parsed
// specification, and nothing is durable after it.
//
// kin-openapi reads the specification and finds what is wrong with it. Values
// are judged by the JSON Schema 2020-12 validator that kin-openapi itself runs
// for OpenAPI 3.1, on schemas that are compiled once: kin-openapi compiles them
// for each value, which takes a hundred times as long.
package spectest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Spec is the specification of the API, ready to judge by. It never changes and
// is safe for concurrent use.
type Spec struct {
	operations []operation // sorted, so that /orders/batch comes before /orders/{id}
	problem    response    // to what is not in the specification
	examples   []Example
}

// shared is the specification of this process.
//
//nolint:gochecknoglobals // set once and never changed
var shared = sync.OnceValues(func() (*Spec, error) {
	text, err := document()
	if err != nil {
		return nil, err
	}
	return parse(text)
})

// Load returns the specification of the API. A specification that is not valid
// ends the test, and so does an example that is not what its schema says, or a
// request's example without an answer's example of the same name.
func Load(tb testing.TB) *Spec {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatalf("spectest: the specification is not valid: %v", err)
	}
	return s
}

// Operations lists the method and the path of each operation, as in
// "GET /orders/{id}", sorted.
func (s *Spec) Operations() []string {
	all := make([]string, len(s.operations))
	for i, op := range s.operations {
		all[i] = op.name()
	}
	slices.Sort(all)
	return all
}

// CheckRequest says why a request with this body is not valid, or returns nil if it is.
// It does not read the request's own body.
func (s *Spec) CheckRequest(req *http.Request, body []byte) error {
	op, values, ok := s.find(req.Method, req.URL)
	if !ok {
		return fmt.Errorf("%s %s is not in the specification", req.Method, req.URL.Path)
	}
	return op.checkRequest(question{Request: req, pathValues: values, data: body, known: true})
}

// parse reads a specification in YAML.
func parse(text []byte) (*Spec, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(text)
	if err != nil {
		return nil, err
	}
	// kin-openapi takes the example of a bad request and the lines of NDJSON for
	// mistakes; checkExamples knows better.
	if err := doc.Validate(loader.Context, openapi3.DisableExamplesValidation(), openapi3.EnableMultiError()); err != nil {
		return nil, err
	}
	schemas, err := newSchemas(text)
	if err != nil {
		return nil, err
	}
	b := builder{doc: doc, schemas: schemas}
	s := &Spec{operations: b.operations(), problem: b.problem()}
	if err := errors.Join(b.errs...); err != nil {
		return nil, fmt.Errorf("not understood: %w", err)
	}
	slices.SortFunc(s.operations, func(x, y operation) int { return strings.Compare(x.path, y.path) })
	s.examples, err = gatherExamples(doc, s.operations)
	return s, errors.Join(err, checkExamples(doc, s, schemas))
}
