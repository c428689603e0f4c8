package spectest

import (
	"encoding/json"
	"strconv"
	"strings"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// Example is a request that the specification shows, and the answer of the same name. An
// example without an answer has the status 0.
type Example struct {
	Operation         string // as Operations lists it
	Method, Path      string // its parts; the path has its parameters in braces
	Name              string
	MediaType         string // of the request
	Body              []byte
	Status            int
	ResponseMediaType string
	Response          []byte
}

// Examples lists the examples of requests in the order of the specification.
func (s *Spec) Examples() []Example {
	var all []Example
	for path, item := range s.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			if op.RequestBody == nil {
				continue
			}
			for media, shown := range op.RequestBody.Content.FromOldest() {
				for name := range shown.Examples.FromOldest() {
					e := Example{Method: strings.ToUpper(method), Path: path, Name: name, MediaType: media, Body: exampleBody(shown, name)}
					e.Operation = e.Method + " " + path
					e.findAnswer(op)
					all = append(all, e)
				}
			}
		}
	}
	return all
}

// findAnswer completes an example by the answer of its name.
func (e *Example) findAnswer(op *v3.Operation) {
	for code, response := range op.Responses.Codes.FromOldest() {
		for media, shown := range response.Content.FromOldest() {
			if body := exampleBody(shown, e.Name); body != nil {
				e.Status, _ = strconv.Atoi(code) // the document is valid
				e.ResponseMediaType, e.Response = media, body
			}
		}
	}
}

// exampleBody returns an example as it is sent, or nil if there is none of the name.
func exampleBody(shown *v3.MediaType, name string) []byte {
	example := shown.Examples.GetOrZero(name)
	if example == nil || example.Value == nil {
		return nil
	}
	var value any
	if example.Value.Decode(&value) != nil {
		return nil
	}
	if text, ok := value.(string); ok {
		return []byte(text)
	}
	body, _ := json.Marshal(value) //nolint:errchkjson // a value of a YAML document
	return body
}
