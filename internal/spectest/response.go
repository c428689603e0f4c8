package spectest

import (
	"errors"
	"fmt"
	"net/http"
)

// checkHead says what is wrong with an answer before its body.
func (r response) checkHead(h http.Header) error {
	for _, want := range r.headers {
		values := h.Values(want.name)
		if len(values) == 0 && want.required {
			return fmt.Errorf("header %s is missing", want.name)
		}
		for _, v := range values {
			if err := want.check(v); err != nil {
				return fmt.Errorf("header %s is %q: %w", want.name, v, err)
			}
		}
	}
	if len(r.content) == 0 {
		return nil
	}
	return r.content.checkType(h.Get("Content-Type"))
}

// checkBody says what is wrong with the body of an answer whose head is right.
// A compressed one is left alone.
func (r response) checkBody(h http.Header, data []byte) error {
	switch {
	case compressed(h.Get("Content-Encoding")):
		return nil
	case len(r.content) > 0:
		return r.content.check(h.Get("Content-Type"), data)
	case len(data) > 0:
		return errors.New("there is a body where none is specified")
	default:
		return nil
	}
}
