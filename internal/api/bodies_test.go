package api_test

import (
	"fmt"
	"strings"
)

// member is one member of a JSON object, its value as it is written.
type member struct{ name, value string }

// ordinary is a submission that names every field.
func ordinary() []member {
	return []member{
		{"id", `"ord_1"`},
		{"amount", `12.50`},
		{"items", `["tea","cups"]`},
		{"customer", `"ada@example.com"`},
		{"address", `"12 Main Street\nLondon"`},
		{"priority", `2`},
		{"status", `"pending"`},
		{"notes", `"ring twice"`},
	}
}

// body writes the ordinary submission with changes, which alternate names and
// values. An empty value leaves the member out; a new name is added.
func body(changes ...string) string {
	members := ordinary()
	for i := 0; i+1 < len(changes); i += 2 {
		members = replace(members, member{changes[i], changes[i+1]})
	}
	var parts []string
	for _, m := range members {
		if m.value != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", m.name, m.value))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func replace(members []member, with member) []member {
	for i, m := range members {
		if m.name == with.name {
			members[i] = with
			return members
		}
	}
	return append(members, with)
}

// list writes a JSON list of n times the same value.
func list(n int, value string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
}

// badBody is a body that is no order. A malformed one is no JSON object; any
// other has the problems in want, as "field code".
type badBody struct {
	name, body string
	want       []string
}

// badBodies is the corpus of all that must be refused.
func badBodies() []badBody {
	var all []badBody
	all = append(all, truncated()...)
	all = append(all, malformed()...)
	all = append(all, wrongTypes()...)
	return append(all, wrongValues()...)
}

// truncated cuts a valid body at every byte.
func truncated() []badBody {
	var all []badBody
	whole := body("address", `"Zoë\u00eb \ud83d\ude00 😀"`, "amount", "1.5e1")
	for n := range len(whole) {
		all = append(all, badBody{name: fmt.Sprintf("cut at byte %d", n), body: whole[:n]})
	}
	return all
}

// malformed lists what is not one JSON object. test/hostile has the long list.
func malformed() []badBody {
	var all []badBody
	for name, text := range map[string]string{
		"empty": "", "white space": " \t\r\n ", "null": "null", "string": `"order"`, "number": "12", "list of orders": "[" + body() + "]",
		"two byte order marks": "\ufeff\ufeff" + body(), "byte order mark in UTF-16": "\xff\xfe{\x00}\x00", "null byte behind": body() + "\x00",
		"two objects": body() + body(), "trailing text": body() + "x", "trailing comma inside": strings.TrimSuffix(body(), "}") + ",}",
		"single quotes": `{'id':'ord_1'}`, "comment": `{/* hi */"id":"ord_1"}`, "wrong bracket": `{"id":"ord_1"]`, "form": "id=ord_1&amount=12.50",
		"duplicate name":           strings.TrimSuffix(body(), "}") + `,"amount":1}`,
		"duplicate name, escaped":  strings.TrimSuffix(body(), "}") + `,"\u0061mount":1}`,
		"duplicate unknown name":   strings.TrimSuffix(body(), "}") + `,"x":1,"x":1}`,
		"duplicate name, nested":   body("x", `{"a":1,"a":2}`),
		"invalid UTF-8 in a value": body("customer", "\"\xff\""),
		"invalid UTF-8 in a name":  body()[:1] + "\"\xc3\x28\":1," + body()[1:],
		"lone surrogate":           body("customer", `"\ud800"`),
		"raw line break":           body("customer", "\"a\nb\""),
		"deep lists":               strings.Repeat("[", 100_000),
		"deep lists in a field":    body("items", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)),
		"amount NaN":               body("amount", "NaN"),
		"amount 01":                body("amount", "01"),
		"priority +1":              body("priority", "+1"),
	} {
		all = append(all, badBody{name: name, body: text})
	}
	return all
}
