package spectest

import (
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// scalar is a value that travels as text: a parameter or a header.
type scalar struct {
	integer bool
	schema  *jsonschema.Schema
}

func (s scalar) check(text string) error {
	if s.integer {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return judge(s.schema, n)
		}
	}
	return judge(s.schema, text)
}
