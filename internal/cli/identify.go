package cli

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
	errArray     = errors.New("is a JSON array, and orders are expected here: an array must be all of the file, else put its orders on lines of their own")
	errCommas    = errors.New("is not valid JSON: it has commas between objects; put each on a line of its own without them, or all in [ and ]")
	errTable     = errors.New("is not valid JSON: it looks like CSV, which is not read; write each order as a JSON object")
	errMarkup    = errors.New("is not valid JSON: it looks like XML or HTML, which is not read; write each order as a JSON object")
)

// identify gives an order that lacks an id a new one, so that sending it twice
// is safe, and says whether it did. Nothing else of the text changes: amounts
// and mistakes reach the API as they were written.
func identify(text []byte) (body []byte, id string, given bool, err error) {
	if !json.Valid(text) {
		return nil, "", false, notJSON(text)
	}
	if text[0] != '{' {
		return nil, "", false, notObject(text)
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

// notObject says what a value is that is not an object.
func notObject(text []byte) error {
	if text[0] == '[' && bytes.ContainsRune(text, '{') {
		return errArray
	}
	return errNotObject
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

// notJSON says what is wrong, as far as it can be told.
func notJSON(text []byte) error {
	switch {
	case commasBetween(text):
		return errCommas
	case text[0] == '<':
		return errMarkup
	case looksLikeCSV(text):
		return errTable
	}
	var v json.RawMessage
	if err := json.Unmarshal(text, &v); err != nil {
		return errors.Join(errNotJSON, err)
	}
	return errNotJSON
}

// commasBetween says whether a text is objects with commas between or behind them.
func commasBetween(text []byte) bool {
	for seen := 0; len(text) > 0; seen++ {
		object, rest, ended := cutAt(text, &span{})
		switch {
		case text[0] != '{', !ended:
			return false
		case len(rest) == 0:
			return seen > 0
		case rest[0] != ',':
			return false
		}
		if text = bytes.TrimSpace(rest[1:]); len(text) == 0 {
			return json.Valid(object)
		}
	}
	return false
}

// looksLikeCSV says whether a line looks like one of a CSV file: values with separators between
// them, and nothing that only JSON has.
func looksLikeCSV(text []byte) bool {
	return !bytes.ContainsAny(text, "{}[]\x00") && !bytes.Contains(text, []byte("\":")) &&
		bytes.ContainsAny(text[:len(text)-1], ",;\t|") && !bytes.HasSuffix(text, []byte(","))
}
