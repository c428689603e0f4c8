package spectest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"orderprocessor/internal/spectest"
)

// filter is the router of openapi3filter, which judges traffic on its own, and
// which has to be taught lines and pages first.
var filter = sync.OnceValues(func() (routers.Router, error) {
	text, err := spectest.Document()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", decodeLines)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	return gorillamux.NewRouter(doc)
})

func decodeLines(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	values := []any{}
	for lines := json.NewDecoder(body); ; {
		var value any
		if err := lines.Decode(&value); err == io.EOF {
			return values, nil
		} else if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
}

// input is an exchange as openapi3filter wants it.
func input(t *testing.T, q question) *openapi3filter.RequestValidationInput {
	t.Helper()
	router, err := filter()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), q.method, "http://localhost"+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	route, values, err := router.FindRoute(req)
	if err != nil {
		t.Fatal(err)
	}
	return &openapi3filter.RequestValidationInput{
		Request: req, PathParams: values, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // keys are not part of a request's form
		},
	}
}

func filterAnswer(t *testing.T, q question, a answer) error {
	t.Helper()
	header := http.Header{}
	for name, value := range a.header {
		header.Set(name, value)
	}
	return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input(t, q), Status: a.status, Header: header,
		Body: io.NopCloser(bytes.NewReader([]byte(a.body))), Options: input(t, q).Options,
	})
}

// TestFilterAgrees holds the kit to an independent reader of the specification:
// what is correct passes it, and what is wrong does not, but for what schemas
// do not say.
func TestFilterAgrees(t *testing.T) {
	t.Parallel()
	unseen := []string{
		"repeated member", "more than one value", "not UTF-8", "line that is blank", "redirection",
		"too precise", "bad amount", // the decimals are limited in words
		"repeated field", "compressed", "query where there is none", "query of a queue", "unknown query", "repeated query",
	}
	agree := func(t *testing.T, name string, err error) {
		t.Helper()
		if passes := slices.Contains(unseen, name); (err == nil) != passes {
			t.Errorf("openapi3filter says %v", err)
		}
	}
	for _, row := range mistakes() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := correct(t, row.op, row.status)
			row.change(&a)
			agree(t, row.name, filterAnswer(t, questions()[row.op], a))
		})
	}
	for _, row := range misuses() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			agree(t, row.name, openapi3filter.ValidateRequest(t.Context(), input(t, row.question())))
		})
	}
	for op, codes := range statuses(t) {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			if err := openapi3filter.ValidateRequest(t.Context(), input(t, questions()[op])); err != nil {
				t.Errorf("openapi3filter says %v", err)
			}
			for _, code := range codes {
				if err := filterAnswer(t, questions()[op], correct(t, op, code)); err != nil {
					t.Errorf("openapi3filter says of %s: %v", code, err)
				}
			}
		})
	}
}
