package spectest

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaLines   = "application/x-ndjson"
)

// The bounds of a number that is worked out exactly: one beyond them could take
// all memory there is.
const (
	maxNumberChars = 1000
	maxExponent    = 1000
)

// errHugeNumber is a number beyond these bounds; a value that holds one is not
// judged.
var errHugeNumber = errors.New("a number is too long to be worked out exactly")

// decode makes of a body the value that its schema describes: JSON as it is,
// lines of JSON as an array, and everything else as a string.
func decode(media string, data []byte) (any, error) {
	switch media {
	case mediaJSON, mediaProblem:
		return decodeJSON(data)
	case mediaLines:
		return decodeLines(data)
	default:
		return string(data), nil
	}
}

// decodeJSON is strict: names are not repeated, and text is UTF-8.
func decodeJSON(data []byte) (any, error) {
	var strict jsontext.Value
	if err := json.Unmarshal(data, &strict); err != nil {
		return nil, err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return value, checkNumbers(value)
}

// decodeLines wants a value on each line; the last may lack its line break.
func decodeLines(data []byte) (any, error) {
	values := []any{}
	for i, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if len(data) == 0 {
			break
		}
		value, err := decodeJSON(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		values = append(values, value)
	}
	return values, nil
}

func checkNumbers(value any) error {
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			if err := checkNumbers(member); err != nil {
				return err
			}
		}
	case []any:
		for _, element := range v {
			if err := checkNumbers(element); err != nil {
				return err
			}
		}
	case stdjson.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		n, err := strconv.Atoi(exponent)
		if len(v) > maxNumberChars || exponent != "" && (err != nil || n > maxExponent || n < -maxExponent) {
			return errHugeNumber
		}
	}
	return nil
}
