package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// The ways in which an entry is no order before the API has looked at it.
var (
	errNotObject = errors.New("is not a JSON object")
	errNotJSON   = errors.New("is not valid JSON")
)

// identify gives an order that lacks an id a new one, so that sending it twice
// is safe, and says whether it did. Nothing else of the text changes: amounts
// and mistakes reach the API as they were written.
func identify(text []byte) (body []byte, id string, given bool, err error) {
	if !json.Valid(text) {
		return nil, "", false, notJSON(text)
	}
	if text[0] != '{' {
		return nil, "", false, errNotObject
	}
	value, end, members := findID(text)
	switch {
	case string(value) == `""`: // the API takes it for none
		id = uuid.Must(uuid.NewV7()).String()
		return slices.Concat(text[:end-len(value)], []byte(`"`+id+`"`), text[end:]), id, true, nil
	case value != nil:
		_ = json.Unmarshal(value, &id) // anything but a string is for the API to refuse
		return text, id, false, nil
	}
	id = uuid.Must(uuid.NewV7()).String()
	comma := ","
	if members == 0 {
		comma = ""
	}
	return slices.Concat([]byte(`{"id":"`+id+`"`+comma), text[1:]), id, true, nil
}

// findID returns the value of the member "id", where it ends in the text, and
// how many members were looked at.
func findID(text []byte) (value json.RawMessage, end, members int) {
	d := json.NewDecoder(bytes.NewReader(text))
	_, _ = d.Token() // the brace; the text is valid
	for d.More() {
		members++
		name, _ := d.Token()
		var v json.RawMessage
		_ = d.Decode(&v)
		if name == "id" {
			return v, int(d.InputOffset()), members
		}
	}
	return nil, 0, members
}

// notJSON says what is wrong, as far as package json knows.
func notJSON(text []byte) error {
	var v json.RawMessage
	if err := json.Unmarshal(text, &v); err != nil {
		return errors.Join(errNotJSON, err)
	}
	return errNotJSON
}
