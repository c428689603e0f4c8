package cli

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// identified is an order with its id.
type identified struct {
	body []byte
	id   string
	made bool // the id was made here
}

// identify gives an order that lacks an id a new one, so that sending it twice is
// safe. Nothing else of the text changes: amounts and mistakes reach the API as
// they were written. The text must be a JSON object.
func identify(text []byte) (identified, error) {
	d := newDecoder(bytes.NewReader(text))
	if _, err := d.ReadToken(); err != nil {
		return identified{}, err
	}
	separator := ""
	for d.PeekKind() == '"' {
		separator = ","
		name, err := d.ReadToken()
		if err != nil {
			return identified{}, err
		}
		isID := name.String() == "id"
		value, err := d.ReadValue()
		switch {
		case err != nil:
			return identified{}, err
		case isID && string(value) == `""`: // as good as absent for the API
			id := newID()
			end := int(d.InputOffset())
			return identified{slices.Concat(text[:end-len(value)], []byte(`"`+id+`"`), text[end:]), id, true}, nil
		case isID:
			id, _ := jsontext.AppendUnquote(nil, value) // what is no string is for the API to refuse
			return identified{text, string(id), false}, nil
		}
	}
	id := newID()
	return identified{slices.Concat([]byte(`{"id":"`+id+`"`+separator), text[1:]), id, true}, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
