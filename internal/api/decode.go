package api

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"orderprocessor/internal/order"
)

// malformedError is a body that is not valid JSON, or not of the expected kind.
type malformedError struct{ reason string }

// Error implements error.
func (e *malformedError) Error() string { return e.reason }

// decodeOrder reads one submission strictly and makes an order of it. It
// returns a *malformedError for what is no JSON object, and else an
// *order.InvalidError that lists every problem at once: unknown fields, wrong
// types, and what order.New finds. Nothing it returns points into body.
func decodeOrder(body []byte, now time.Time) (order.Order, error) {
	members, err := decodeObject(body)
	if err != nil {
		return order.Order{}, err
	}
	var d decoder
	s := order.Submission{
		ID:        d.notEmpty(members, "id"),
		Amount:    d.number(members, "amount"),
		Items:     d.texts(members, "items"),
		Customer:  d.text(members, "customer"),
		Address:   d.text(members, "address"),
		Priority:  d.number(members, "priority"),
		Status:    d.notEmpty(members, "status"),
		Notes:     d.text(members, "notes"),
		ProcessAt: d.notEmpty(members, "process_at"),
	}
	d.unknown(members, "an order")
	o, err := order.New(s, now)
	return o, d.join(err)
}

// decodeObject reads a JSON object's members. Duplicate names, invalid UTF-8
// and anything after the object are refused, at every depth.
func decodeObject(body []byte) (map[string]jsontext.Value, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &malformedError{"The body is empty; it must be a JSON object."}
	}
	if !utf8.Valid(body) {
		return nil, &malformedError{"The body is not valid UTF-8."}
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, &malformedError{"The body must be a JSON object."}
	}
	return members, nil
}

func checkSyntax(body []byte) error {
	var v jsontext.Value
	err := json.Unmarshal(body, &v)
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsontext.ErrDuplicateName):
		reason := "A name occurs twice in one object"
		if errors.As(err, &syntax) {
			reason = fmt.Sprintf("The name at %s occurs twice", order.Printable(string(syntax.JSONPointer)))
		}
		return &malformedError{reason + "."}
	case errors.As(err, &syntax):
		return &malformedError{fmt.Sprintf("The body is not valid JSON: at byte %d, %s.",
			syntax.ByteOffset, order.Printable(strings.TrimPrefix(syntax.Err.Error(), "jsontext: ")))}
	default:
		return &malformedError{"The body is not valid JSON."}
	}
}

// decoder gathers problems with the types of members. It takes each member
// that it reads out of the map.
type decoder struct{ problems []order.FieldError }

func (d *decoder) add(field string, code order.Code, message string) {
	d.problems = append(d.problems, order.FieldError{Field: field, Code: code, Message: message})
}

func (d *decoder) take(members map[string]jsontext.Value, name string, kind jsontext.Kind, want string) jsontext.Value {
	v, ok := members[name]
	delete(members, name)
	if !ok {
		return nil
	}
	if v.Kind() != kind {
		d.add(name, order.CodeWrongType, "must be "+want+", not "+describe(v.Kind()))
		return nil
	}
	return v
}

func (d *decoder) text(members map[string]jsontext.Value, name string) string {
	return unquote(d.take(members, name, '"', "a string"))
}

// notEmpty reads a text that may be absent but not empty. order.New could not
// distinguish the two.
func (d *decoder) notEmpty(members map[string]jsontext.Value, name string) string {
	if string(members[name]) == `""` {
		d.add(name, order.CodeInvalid, "must not be empty")
	}
	return d.text(members, name)
}

func (d *decoder) number(members map[string]jsontext.Value, name string) string {
	return string(d.take(members, name, '0', "a number"))
}

func (d *decoder) texts(members map[string]jsontext.Value, name string) []string {
	list := d.take(members, name, '[', "a list of strings")
	if list == nil {
		return nil
	}
	var values []jsontext.Value
	if err := json.Unmarshal(list, &values); err != nil {
		d.add(name, order.CodeWrongType, "must be a list of strings")
		return nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		if v.Kind() != '"' {
			d.add(fmt.Sprintf("%s[%d]", name, i), order.CodeWrongType, "must be a string, not "+describe(v.Kind()))
			continue
		}
		texts[i] = unquote(v)
	}
	return texts
}

func unquote(v jsontext.Value) string {
	if v == nil {
		return ""
	}
	text, _ := jsontext.AppendUnquote(nil, v) // the value has been checked
	return string(text)
}

// unknown reports the members that nobody has taken.
func (d *decoder) unknown(members map[string]jsontext.Value, of string) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		d.add(shortName(name), order.CodeUnknownField, "is not a field of "+of)
	}
}

// requestError returns what is wrong with a request that is no order.
func (d *decoder) requestError() error {
	if len(d.problems) == 0 {
		return nil
	}
	return &requestError{d.problems}
}

// shortName makes a name from outside fit to repeat.
func shortName(name string) string {
	short := order.Printable(name)
	if short == "" {
		return `""`
	}
	if len(short) > order.MaxIDChars {
		return strings.ToValidUTF8(short[:order.MaxIDChars], "") + "…"
	}
	return short
}

// join adds what order.New found, apart from fields whose type was wrong
// already.
func (d *decoder) join(err error) error {
	var invalid *order.InvalidError
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	reported := map[string]bool{}
	for _, p := range d.problems {
		reported[p.Field] = true
	}
	if invalid != nil {
		for _, p := range invalid.Problems {
			if !reported[p.Field] {
				d.problems = append(d.problems, p)
			}
		}
	}
	if len(d.problems) == 0 {
		return nil
	}
	return &order.InvalidError{Problems: d.problems}
}

func describe(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	default:
		return "something else"
	}
}
