package api

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"orderprocessor/internal/order"
)

// line is one order of a batch, not yet looked at.
type line struct {
	number int // counted from 1; for an array, the place in it
	text   []byte
}

// splitLines returns the lines that are not blank. Of a body that was cut off, the
// last line is not complete.
func splitLines(body []byte, cutOff bool) ([]line, error) {
	var lines []line
	for number := 1; len(body) > 0; number++ {
		text, rest, ended := bytes.Cut(body, []byte{'\n'})
		body = rest
		text = bytes.Trim(text, " \t\r") // what is white space in JSON, and no more
		if len(text) == 0 || (cutOff && !ended) {
			continue
		}
		if len(lines) == maxBatchOrders {
			return nil, errBatchFull
		}
		lines = append(lines, line{number, text})
	}
	return lines, nil
}

// splitArray returns the values of a JSON array. What is wrong with a single value
// does no harm to the others, as long as it can be told where it ends.
func splitArray(body []byte) ([]line, error) {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, &malformedError{"The body must be a JSON array of orders."}
	}
	var lines []line
	for d.PeekKind() != ']' {
		text, err := d.ReadValue()
		if err != nil {
			return nil, arraySyntax(err)
		}
		if len(lines) == maxBatchOrders {
			return nil, errBatchFull
		}
		lines = append(lines, line{len(lines) + 1, bytes.Clone(text)})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, arraySyntax(err)
	}
	if len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		return nil, &malformedError{"There is more after the JSON array."}
	}
	return lines, nil
}

func arraySyntax(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return &malformedError{fmt.Sprintf("The body is not valid JSON at byte %d: %s.",
			syntax.ByteOffset, order.Printable(syntax.Err.Error()))}
	}
	return &malformedError{"The body is not valid JSON."}
}
