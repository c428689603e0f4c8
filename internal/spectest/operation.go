package spectest

import (
	"net/url"
	"strings"
)

// batchPath takes bodies of which a part may be wrong: it has verdicts for each.
const batchPath = "/orders/batch"

// operation is one method of one path.
type operation struct {
	method, path string
	params       []parameter
	body         *body // nil if it takes none
	responses    map[string]response
}

// parameter is something that a request says outside its body.
type parameter struct {
	name, in string
	required bool
	scalar
}

// body is what a request may send.
type body struct {
	required bool
	content  content
}

// response is what an answer has to be.
type response struct {
	headers []header
	content content
}

// header is a header of an answer.
type header struct {
	name     string
	required bool
	scalar
}

func (o operation) name() string { return o.method + " " + o.path }

// response is what an answer of the status has to be.
func (o operation) response(status string) (response, bool) {
	if r, ok := o.responses[status]; ok {
		return r, true
	}
	r, ok := o.responses["default"]
	return r, ok
}

// strictQuery says whether the operation takes the query parameters that it
// lists and no others: orders and queues do, as the introduction says.
func (o operation) strictQuery() bool {
	return strings.HasPrefix(o.path, "/orders") || strings.HasPrefix(o.path, "/queues")
}

// match returns the values of the path's parameters if it is a path of the
// operation.
func (o operation) match(segments []string) (map[string]string, bool) {
	own := strings.Split(o.path, "/")
	if len(own) != len(segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, segment := range segments {
		name, isParam := strings.CutPrefix(own[i], "{")
		switch {
		case isParam && segment != "":
			values[strings.TrimSuffix(name, "}")] = segment
		case own[i] != segment:
			return nil, false
		}
	}
	return values, true
}

// find returns the operation that a request asks for, and the values of its
// path's parameters. GET /orders/batch asks for an order whose id is "batch".
func (s *Spec) find(method string, u *url.URL) (operation, map[string]string, bool) {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return operation{}, nil, false
		}
		segments[i] = plain
	}
	for _, op := range s.operations {
		if op.method != method {
			continue
		}
		if values, ok := op.match(segments); ok {
			return op, values, true
		}
	}
	return operation{}, nil, false
}
