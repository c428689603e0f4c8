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

// errNotObject is a JSON text that is no object.
var errNotObject = errors.New("not a JSON object")

// malformedError is a body that is not valid JSON, or not of the expected kind.
type malformedError struct{ reason string }

// Error implements error.
func (e *malformedError) Error() string { return e.reason }

// decodeOrder reads one submission strictly and makes an order of it, on the terms. It returns a
// *malformedError for a body that is not a JSON object, otherwise an *order.InvalidError
// that lists every problem: unknown fields, wrong types, and what order.New finds. Nothing
// that it returns points into body.
func decodeOrder(body []byte, terms order.Terms, now time.Time) (order.Order, error) {
	members, err := decodeObject(body)
	if err != nil {
		return order.Order{}, err
	}
	var d decoder
	s := order.Submission{
		ID:        d.notEmpty(members, "id"),
		Amount:    d.number(members, "amount"),
		Currency:  d.notEmpty(members, "currency"),
		Items:     d.items(members),
		Customer:  d.text(members, "customer"),
		Address:   d.text(members, "address"),
		Country:   d.notEmpty(members, "country"),
		Priority:  d.number(members, "priority"),
		Status:    d.notEmpty(members, "status"),
		Notes:     d.text(members, "notes"),
		Metadata:  d.metadata(members),
		ProcessAt: d.notEmpty(members, "process_at"),
	}
	d.unknown(members, "an order")
	o, err := terms.New(s, now)
	return o, d.join(err)
}

// decodeObject reads the members of a JSON object. It refuses duplicate names and invalid
// UTF-8 at every depth, and anything after the object.
func decodeObject(body []byte) (map[string]jsontext.Value, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &malformedError{"The body is empty; it must be a JSON object."}
	}
	if !utf8.Valid(body) {
		return nil, &malformedError{"The body is not valid UTF-8."}
	}
	var members object
	if err := json.Unmarshal(body, &members); err == nil {
		return members, nil
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	return nil, &malformedError{"The body must be a JSON object."}
}

// object holds the members of a JSON object. It is decoded without reflection.
type object map[string]jsontext.Value

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *object) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return errNotObject
	}
	_, err := dec.ReadToken()
	for *o = (object{}); err == nil && dec.PeekKind() == '"'; {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err != nil {
			break
		}
		key := name.String() // which the next read overwrites
		var v jsontext.Value
		v, err = dec.ReadValue()
		(*o)[key] = v.Clone()
	}
	if err == nil {
		_, err = dec.ReadToken() // the end of the object, or what is wrong instead
	}
	return err
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

// decoder reads the members of an object and collects problems with their types. It removes
// each member that it reads from the map.
type decoder struct{ mistakes }

// value returns a member, or nil if it is missing or has another type.
func (d *decoder) value(members map[string]jsontext.Value, name string, kind jsontext.Kind, want string) jsontext.Value {
	v, ok := members[name]
	delete(members, name)
	if !ok {
		return nil
	}
	if v.Kind() != kind {
		d.add(name, order.CodeWrongType, "must be %s, not %s", want, describe(v.Kind()))
		return nil
	}
	return v
}

func (d *decoder) text(members map[string]jsontext.Value, name string) string {
	return unquote(d.value(members, name, '"', "a string"))
}

// notEmpty reads a text that may be missing but not empty: order.New could not distinguish
// the two.
func (d *decoder) notEmpty(members map[string]jsontext.Value, name string) string {
	if string(members[name]) == `""` {
		d.add(name, order.CodeInvalid, "must not be empty")
	}
	return d.text(members, name)
}

func (d *decoder) number(members map[string]jsontext.Value, name string) string {
	return string(d.value(members, name, '0', "a number"))
}

// items reads a list of names and objects.
func (d *decoder) items(members map[string]jsontext.Value) []order.SubmittedItem {
	const want = "a list of strings and objects"
	list := d.value(members, "items", '[', want)
	if list == nil {
		return nil
	}
	var values []jsontext.Value
	if err := json.Unmarshal(list, &values); err != nil {
		d.add("items", order.CodeWrongType, "must be "+want)
		return nil
	}
	items := make([]order.SubmittedItem, len(values))
	for i, v := range values {
		switch v.Kind() {
		case '"':
			items[i].Name = unquote(v)
		case '{':
			items[i] = d.item(order.ItemField(i), v)
		default:
			d.add(order.ItemField(i), order.CodeWrongType, "must be a string or an object, not %s", describe(v.Kind()))
		}
	}
	return items
}

// item reads an object. Its problems have the path of the item in front.
func (d *decoder) item(path string, text jsontext.Value) order.SubmittedItem {
	s := order.SubmittedItem{Item: order.Item{Detailed: true}}
	var members object
	if err := json.Unmarshal(text, &members); err != nil {
		d.add(path, order.CodeWrongType, "must be a string or an object")
		return s
	}
	var inner decoder
	s.Name = inner.text(members, "name")
	s.SKU = inner.notEmpty(members, "sku")
	s.Quantity = inner.number(members, "quantity")
	s.UnitPrice = inner.number(members, "unit_price")
	inner.unknown(members, "an item")
	for _, p := range inner.problems {
		d.add(path+"."+p.Field, p.Code, "%s", p.Message)
	}
	return s
}

// metadata reads an object of texts. It is nil if there is none, as an empty one is shown.
func (d *decoder) metadata(members map[string]jsontext.Value) map[string]string {
	text := d.value(members, "metadata", '{', "an object of strings")
	if text == nil {
		return nil
	}
	var values object
	if err := json.Unmarshal(text, &values); err != nil {
		d.add("metadata", order.CodeWrongType, "must be an object of strings")
		return nil
	}
	texts := make(map[string]string, len(values))
	var wrong []string
	for key, v := range values {
		if v.Kind() == '"' {
			texts[key] = unquote(v)
		} else {
			wrong = append(wrong, key)
		}
	}
	slices.Sort(wrong)
	for _, key := range wrong {
		d.add(order.MetadataField(key), order.CodeWrongType, "must be a string, not %s", describe(values[key].Kind()))
	}
	return texts
}

func unquote(v jsontext.Value) string {
	if v == nil {
		return ""
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	text, _ := jsontext.AppendUnquote(nil, v) // the value has been checked
	return string(text)
}

// unknown reports the members that have not been read.
func (d *decoder) unknown(members map[string]jsontext.Value, of string) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		d.add(shortName(name), order.CodeUnknownField, "is not a field of %s", of)
	}
}

// shortName returns a name from outside as it may be shown: printable and short.
func shortName(name string) string {
	short := order.Printable(name)
	if short == "" {
		return `""`
	}
	if len(short) > maxNameBytes {
		return strings.ToValidUTF8(short[:maxNameBytes], "") + "…"
	}
	return short
}

// join adds what order.New found, except for fields that already have a problem.
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
	default: // '['
		return "a list"
	}
}
