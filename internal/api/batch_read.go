package api

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// errBatchFull is a batch with too many orders.
var errBatchFull = fiber.NewError(fiber.StatusRequestEntityTooLarge,
	fmt.Sprintf("The batch must have at most %d orders.", maxBatchOrders))

// line is one order of a batch, not yet decoded.
type line struct {
	number int // counted from 1; for an array, the position in it
	text   []byte
}

// readBatch returns the orders of the body. When lines were cut off, it returns the
// complete ones.
func readBatch(c *fiber.Ctx, media string) ([]line, error) {
	body, err := readText(c, maxBatchBytes)
	cutOff := errors.Is(err, httpserver.ErrCutOff)
	if err != nil && (!cutOff || media != mediaNDJSON) {
		return nil, err
	}
	var lines []line
	if media == mediaNDJSON {
		lines, err = splitLines(body, cutOff)
	} else {
		lines, err = splitArray(body)
	}
	if err == nil && len(lines) == 0 {
		err = &malformedError{"The batch has no orders."}
	}
	return lines, err
}

// splitLines returns the lines that are not blank. The last line of a body that was cut
// off is not complete and is left out.
func splitLines(body []byte, cutOff bool) ([]line, error) {
	var lines []line
	for number := 1; len(body) > 0; number++ {
		text, rest, ended := bytes.Cut(body, []byte{'\n'})
		body = rest
		text = bytes.Trim(text, " \t\r") // the white space of JSON
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

// splitArray returns the values of a JSON array. A mistake in one value does not affect
// the others, unless it hides where the value ends.
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
