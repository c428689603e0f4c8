package spectest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// Example is a request that the specification shows, and the answer to it.
type Example struct {
	// Operation is as in Operations.
	Operation string
	// Method and Path are its parts; the path has its parameters in braces.
	Method, Path string
	// Name is the same for the request and the answer.
	Name string
	// MediaType and Body are of the request: JSON, or lines as they are.
	MediaType string
	Body      []byte
	// Status, ResponseMediaType and Response are of the answer.
	Status            int
	ResponseMediaType string
	Response          []byte
}

// Examples lists the examples of requests, by operation, media type and name.
// The caller may change the list, but not the bytes.
func (s *Spec) Examples() []Example { return slices.Clone(s.examples) }

// gatherExamples lists the examples of requests. It reports every one without
// an answer of its own.
func gatherExamples(doc *openapi3.T, ops []operation) ([]Example, error) {
	var all []Example
	var errs []error
	for _, op := range ops {
		from := doc.Paths.Value(op.path).GetOperation(op.method)
		if from.RequestBody == nil {
			continue
		}
		for media, shown := range from.RequestBody.Value.Content {
			for name, ref := range shown.Examples {
				e, err := pair(from, name)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: example %q: %w", op.name(), name, err))
					continue
				}
				e.Operation, e.Method, e.Path = op.name(), op.method, op.path
				e.MediaType, e.Body = media, spell(ref)
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(x, y Example) int {
		return cmp.Or(cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.MediaType, y.MediaType), cmp.Compare(x.Name, y.Name))
	})
	return all, errors.Join(errs...)
}

// pair finds the one answer of the name.
func pair(op *openapi3.Operation, name string) (Example, error) {
	var found []Example
	for code, ref := range op.Responses.Map() {
		for media, shown := range ref.Value.Content {
			if example := shown.Examples[name]; example != nil {
				status, _ := strconv.Atoi(code) // 0 for default, which is refused below
				found = append(found, Example{
					Name: name, Status: status, ResponseMediaType: media, Response: spell(example),
				})
			}
		}
	}
	if len(found) != 1 || found[0].Status == 0 {
		return Example{}, fmt.Errorf("%d answers have its name, not one with a status of its own", len(found))
	}
	return found[0], nil
}

// spell writes the value of an example as it travels.
func spell(example *openapi3.ExampleRef) []byte {
	if text, ok := example.Value.Value.(string); ok {
		return []byte(text)
	}
	text, err := json.Marshal(example.Value.Value)
	if err != nil {
		return nil // which no check takes for JSON
	}
	return text
}
