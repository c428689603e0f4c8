package spectest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// checkExamples holds every example to its schema.
func checkExamples(doc *openapi3.T, s *Spec, all schemas) error {
	errs := []error{checkSchemas(doc, all)}
	for _, op := range s.operations {
		errs = append(errs, checkAnswers(doc, op))
		for _, e := range s.examples {
			if e.Operation == op.name() {
				errs = append(errs, checkQuestion(op, e))
			}
		}
	}
	return errors.Join(errs...)
}

// checkQuestion wants a request to be valid if it is answered with a success,
// and only then; but not a batch, whose orders are judged one by one.
func checkQuestion(op operation, e Example) error {
	err := op.body.content.check(e.MediaType, e.Body)
	switch {
	case op.path == batchPath:
		return nil
	case err != nil && e.Status < 400:
		return fmt.Errorf("%s: example %q: %w", e.Operation, e.Name, err)
	case err == nil && e.Status >= 400:
		return fmt.Errorf("%s: example %q is valid, and answered %d", e.Operation, e.Name, e.Status)
	default:
		return nil
	}
}

func checkAnswers(doc *openapi3.T, op operation) error {
	var errs []error
	for code, ref := range doc.Paths.Value(op.path).GetOperation(op.method).Responses.Map() {
		for media, shown := range ref.Value.Content {
			for _, name := range slices.Sorted(maps.Keys(shown.Examples)) {
				if err := op.responses[code].content.check(media, spell(shown.Examples[name])); err != nil {
					errs = append(errs, fmt.Errorf("%s: %s: example %q: %w", op.name(), code, name, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// checkSchemas holds the examples of the named schemas to them.
func checkSchemas(doc *openapi3.T, all schemas) error {
	var errs []error
	for name, ref := range doc.Components.Schemas {
		schema, err := all.at(below("#/components/schemas", name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, example := range ref.Value.Examples {
			if err := judge(schema, example); err != nil {
				errs = append(errs, fmt.Errorf("schema %s: example: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}
