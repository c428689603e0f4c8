// Package spectest checks HTTP traffic against the OpenAPI specification of the API.
//
// Transport wraps the transport of a test's HTTP client. It passes every request and
// answer on unchanged, and fails the test where one of them differs from the
// specification. github.com/pb33f/libopenapi-validator compiles the schemas and does the
// checks; this package adds what the specification says in words only.
package spectest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/pb33f/jsonschema/v6"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/content"
	validation "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/router"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"orderprocessor/internal/api"
)

// batchPath answers each order of a batch on its own, so its bodies may be invalid in part.
const batchPath = "/orders/batch"

// Spec is the specification of the API. It is safe for concurrent use.
type Spec struct {
	model     *v3.Document
	router    router.Router
	validator validator.Validator
}

//nolint:gochecknoglobals // computed once and never changed
var shared = sync.OnceValues(func() (*Spec, error) { return parse(api.Specification()) })

// Load returns the specification of the API. It ends the test if the specification is not
// a valid OpenAPI document.
func Load(tb testing.TB) *Spec {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatalf("spectest: the specification is not valid: %v", err)
	}
	return s
}

func parse(text []byte) (*Spec, error) {
	// Validators that divide in binary fractions refuse 19.99 for this, so the published
	// specification limits the decimals of an amount in words only. No test needs more than three.
	text = bytes.Replace(text, []byte("      maximum: 999999999999.99\n"), []byte("      maximum: 999999999999.99\n      multipleOf: 0.001\n"), 1)
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document,
		config.WithFormatAssertions(), config.WithRegexEngine(compilePattern), config.WithoutSecurityValidation(), config.WithPathTree(byPattern{}),
		config.WithBodyDecoder("application/json", content.DecoderFunc(decodeJSON)),
		config.WithBodyDecoder("application/problem+json", content.DecoderFunc(decodeJSON)),
		config.WithBodyDecoder("application/x-ndjson", content.DecoderFunc(decodeLines)))
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	_, found := v.ValidateDocument()
	return &Spec{model: &model.Model, router: router.NewRouter(&model.Model, router.WithPathLookup(byPattern{})), validator: v}, join(found)
}

// byPattern leaves every path to the patterns of the router. The validator's tree ignores the
// method, and so does not find GET /orders/batch, the order whose id is "batch".
type byPattern struct{}

// Lookup implements radix.PathLookup.
func (byPattern) Lookup(string) (*v3.PathItem, string, bool) { return nil, "", false }

// compilePattern gives \s the meaning that it has in JavaScript: all white space of Unicode.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	return regexp.Compile(strings.ReplaceAll(pattern, `\s`, `\s\v\x{FEFF}\p{Z}`))
}

// decodeJSON refuses repeated names, invalid UTF-8 and a second value.
func decodeJSON(in *content.DecodeInput) (value any, err error) {
	data, err := io.ReadAll(in.Body)
	err = errors.Join(err, json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &value))
	return value, err
}

// decodeLines decodes one value from each line; the last line may lack its line break.
func decodeLines(in *content.DecodeInput) (any, error) {
	data, err := io.ReadAll(in.Body)
	values := []any{}
	for line := range bytes.Lines(data) {
		var value any
		err = errors.Join(err, json.Unmarshal(line, &value))
		values = append(values, value)
	}
	return values, err
}

// join returns the reasons as one error, or nil if there are none.
func join(found []*validation.ValidationError) error {
	all := make([]error, len(found))
	for i, e := range found {
		all[i] = e
	}
	return errors.Join(all...)
}

// Operations lists the method and path of each operation, such as "GET /orders/{id}", sorted.
func (s *Spec) Operations() []string {
	var all []string
	for path, item := range s.model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// CheckRequest returns an error unless the request would be valid with this body. It does
// not read the request's own body.
func (s *Spec) CheckRequest(req *http.Request, body []byte) error {
	route, err := s.router.FindRoute(req)
	if err != nil {
		return fmt.Errorf("%s %s is not in the specification", req.Method, req.URL.Path)
	}
	if encoding := req.Header.Get("Content-Encoding"); len(body) > 0 && encoding != "" && !strings.EqualFold(encoding, "identity") {
		return errors.New("the body is compressed")
	}
	copied := req.Clone(req.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	for name, values := range req.Header {
		copied.Header.Set(name, strings.TrimSpace(values[0])) // as it arrives
	}
	optional := route.Operation.RequestBody == nil || route.Operation.RequestBody.Required == nil || !*route.Operation.RequestBody.Required
	if len(body) == 0 && optional || len(body) > 0 && route.Path == batchPath {
		params := s.validator.GetParameterValidator()
		_, inPath := params.ValidatePathParams(copied)
		_, inQuery := params.ValidateQueryParams(copied)
		_, inHeader := params.ValidateHeaderParams(copied)
		return errors.Join(join(inPath), join(inQuery), join(inHeader), checkQuery(route, req))
	}
	_, found := s.validator.ValidateHttpRequestSync(copied)
	return errors.Join(join(found), checkQuery(route, req))
}

// checkQuery enforces that orders, queues, workers and the history take each listed query parameter once at most,
// and no others.
func checkQuery(route *router.Route, req *http.Request) error {
	strict := func(start string) bool { return strings.HasPrefix(route.Path, start) }
	if !slices.ContainsFunc([]string{"/orders", "/queues", "/workers", "/stats/"}, strict) {
		return nil
	}
	for name, values := range req.URL.Query() {
		listed := slices.ContainsFunc(route.Operation.Parameters, func(p *v3.Parameter) bool {
			isObject := p.Explode != nil && *p.Explode // such as metadata.basket=77
			return p.In == "query" && (p.Name == name || isObject && strings.HasPrefix(name, p.Name+"."))
		})
		if !listed || len(values) > 1 {
			return fmt.Errorf("query parameter %q is unknown or repeated", name)
		}
	}
	return nil
}
