package spectest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// content is what a body may be: schemas by media type.
type content map[string]*jsonschema.Schema

// mediaOf is the media type that a Content-Type names.
func mediaOf(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

func (c content) checkType(contentType string) error {
	if _, ok := c[mediaOf(contentType)]; ok {
		return nil
	}
	return fmt.Errorf("Content-Type is %q, not one of %q", contentType, slices.Sorted(maps.Keys(c)))
}

// check says what is wrong with a body of one of the media types.
func (c content) check(contentType string, data []byte) error {
	media := mediaOf(contentType)
	value, err := decode(media, bytes.TrimPrefix(data, []byte("\ufeff")))
	if err != nil {
		return fmt.Errorf("not %s: %w", media, err)
	}
	return judge(c[media], value)
}

// compressed says whether a body is other bytes than those of its media type.
func compressed(contentEncoding string) bool {
	return contentEncoding != "" && !strings.EqualFold(contentEncoding, "identity")
}

// errCompressed is a body of which the specification does not speak.
var errCompressed = errors.New("the body is compressed")
