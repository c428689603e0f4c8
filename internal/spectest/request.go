package spectest

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// question is a request and as much of its body as is known.
type question struct {
	*http.Request
	pathValues map[string]string
	data       []byte
	known      bool // data is the whole body
}

// checkRequest says why a request is not valid, or nil if it is or cannot be
// told.
func (o operation) checkRequest(q question) error {
	for _, p := range o.params {
		if err := p.check(q); err != nil {
			return err
		}
	}
	if err := o.checkQuery(q.URL); err != nil {
		return err
	}
	return o.checkBody(q)
}

func (p parameter) check(q question) error {
	var values []string
	switch p.in {
	case openapi3.ParameterInPath:
		values = []string{q.pathValues[p.name]}
	case openapi3.ParameterInQuery:
		values = q.URL.Query()[p.name]
	case openapi3.ParameterInHeader:
		values = q.Header.Values(p.name)
	}
	if len(values) == 0 && p.required {
		return fmt.Errorf("%s parameter %s is missing", p.in, p.name)
	}
	for _, v := range values {
		if p.in == openapi3.ParameterInHeader {
			v = textproto.TrimString(v) // it arrives so
		}
		if err := p.scalar.check(v); err != nil {
			return fmt.Errorf("%s parameter %s is %q: %w", p.in, p.name, v, err)
		}
	}
	return nil
}

// checkQuery holds a query to what it may contain; a pair that is not well
// formed is none.
func (o operation) checkQuery(u *url.URL) error {
	if !o.strictQuery() {
		return nil
	}
	for name, values := range u.Query() {
		isName := func(p parameter) bool { return p.in == openapi3.ParameterInQuery && p.name == name }
		if !slices.ContainsFunc(o.params, isName) {
			return fmt.Errorf("query parameter %q is unknown", name)
		}
		if len(values) > 1 {
			return fmt.Errorf("query parameter %q is repeated", name)
		}
	}
	return nil
}

// checkBody leaves alone a body where none is spoken of, one that was too large
// to keep, and what a batch says in its body.
func (o operation) checkBody(q question) error {
	if o.body == nil {
		return nil
	}
	if q.known && len(q.data) == 0 {
		if o.body.required {
			return errors.New("the body is missing")
		}
		return nil
	}
	contentType := q.Header.Get("Content-Type")
	if err := o.body.content.checkType(contentType); err != nil {
		return err
	}
	if compressed(q.Header.Get("Content-Encoding")) {
		return errCompressed
	}
	if !q.known || o.path == batchPath {
		return nil
	}
	if err := o.body.content.check(contentType, q.data); !errors.Is(err, errHugeNumber) {
		return err
	}
	return nil
}
