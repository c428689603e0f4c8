package spectest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// problemResponse names the answer that everything gets that is not in the
// specification.
const problemResponse = "Problem"

// builder makes operations of a document, and gathers what it does not
// understand: the kit judges by nothing that it would have to guess at.
type builder struct {
	doc     *openapi3.T
	schemas schemas
	errs    []error
}

func (b *builder) fail(pointer, format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf("%s: %s", pointer, fmt.Sprintf(format, args...)))
}

func (b *builder) operations() []operation {
	var all []operation
	for path, item := range b.doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := below("#/paths", path)
			all = append(all, b.operation(method, path, at, item, op))
		}
	}
	return all
}

func (b *builder) operation(method, path, at string, item *openapi3.PathItem, from *openapi3.Operation) operation {
	op := operation{method: method, path: path, responses: map[string]response{}}
	atOp := below(at, strings.ToLower(method))
	for i, ref := range item.Parameters {
		if from.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil {
			op.params = append(op.params, b.parameter(target(ref.Ref, below(at, "parameters", strconv.Itoa(i))), ref.Value))
		}
	}
	for i, ref := range from.Parameters {
		op.params = append(op.params, b.parameter(target(ref.Ref, below(atOp, "parameters", strconv.Itoa(i))), ref.Value))
	}
	if ref := from.RequestBody; ref != nil {
		pointer := target(ref.Ref, below(atOp, "requestBody"))
		op.body = &body{required: ref.Value.Required, content: b.content(pointer, ref.Value.Content)}
	}
	status := regexp.MustCompile(`^([1-5][0-9][0-9]|default)$`)
	for code, ref := range from.Responses.Map() {
		pointer := target(ref.Ref, below(atOp, "responses", code))
		if !status.MatchString(code) {
			b.fail(pointer, "%q is not one status", code)
		}
		op.responses[code] = b.response(pointer, ref.Value)
	}
	return op
}

func (b *builder) problem() response {
	pointer := below("#/components/responses", problemResponse)
	if b.doc.Components != nil {
		if ref := b.doc.Components.Responses[problemResponse]; ref != nil {
			return b.response(pointer, ref.Value)
		}
	}
	b.fail(pointer, "is missing")
	return response{}
}

func (b *builder) response(pointer string, from *openapi3.Response) response {
	r := response{content: b.content(pointer, from.Content)}
	for _, name := range slices.Sorted(maps.Keys(from.Headers)) {
		ref := from.Headers[name]
		at := target(ref.Ref, below(pointer, "headers", name))
		r.headers = append(r.headers, header{
			name: http.CanonicalHeaderKey(name), required: ref.Value.Required,
			scalar: b.scalar(at, &ref.Value.Parameter),
		})
	}
	return r
}

func (b *builder) parameter(pointer string, from *openapi3.Parameter) parameter {
	if from.In == openapi3.ParameterInCookie {
		b.fail(pointer, "cookies are not understood")
	}
	return parameter{name: from.Name, in: from.In, required: from.Required, scalar: b.scalar(pointer, from)}
}

// scalar takes what a parameter and a header have in common.
func (b *builder) scalar(pointer string, from *openapi3.Parameter) scalar {
	if from.Schema == nil || !from.Schema.Value.Type.Is("string") && !from.Schema.Value.Type.Is("integer") {
		b.fail(pointer, "only strings and integers are understood")
		return scalar{}
	}
	schema, err := b.schemas.at(below(pointer, "schema"))
	if err != nil {
		b.fail(pointer, "%v", err)
	}
	return scalar{integer: from.Schema.Value.Type.Is("integer"), schema: schema}
}

func (b *builder) content(pointer string, from openapi3.Content) content {
	c := content{}
	for media := range from {
		schema, err := b.schemas.at(below(pointer, "content", media, "schema"))
		if err != nil {
			b.fail(pointer, "%v", err)
		}
		c[media] = schema
	}
	return c
}

// target is where something is: where it is referred to, or where it was met.
func target(ref, here string) string {
	if ref != "" {
		return ref
	}
	return here
}
