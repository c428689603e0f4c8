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
	all = append(all, wrongItems()...)
	all = append(all, wrongValues()...)
	return append(all, wrongLengths()...)
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

// malformed lists what is not one JSON object.
func malformed() []badBody {
	rows := []member{
		{"empty", ``},
		{"white space", " \t\r\n "},
		{"null", `null`},
		{"true", `true`},
		{"string", `"order"`},
		{"number", `12`},
		{"empty list", `[]`},
		{"list of orders", "[" + body() + "]"},
		{"two byte order marks", "\ufeff\ufeff" + body()},
		{"byte order mark in UTF-16", "\xff\xfe{\x00}\x00"},
		{"null byte in front", "\x00" + body()},
		{"null byte behind", body() + "\x00"},
		{"two objects", body() + body()},
		{"two objects in two lines", body() + "\n" + body()},
		{"trailing text", body() + "x"},
		{"trailing comma behind", body() + ","},
		{"trailing brace", body() + "}"},
		{"trailing number", body() + " 1"},
		{"trailing comma inside", strings.TrimSuffix(body(), "}") + ",}"},
		{"leading comma", "{," + body()[1:]},
		{"no colon", `{"id" "ord_1"}`},
		{"two colons", `{"id"::"ord_1"}`},
		{"equals sign", `{"id"="ord_1"}`},
		{"no comma", `{"id":"a" "amount":1}`},
		{"no value", `{"id":}`},
		{"only a name", `{"id"}`},
		{"name without quotes", `{id:"ord_1"}`},
		{"name is a number", `{1:"ord_1"}`},
		{"single quotes", `{'id':'ord_1'}`},
		{"comment", `{/* hi */"id":"ord_1"}`},
		{"line comment", "{\"id\":\"ord_1\"} // hi"},
		{"missing brace", `{"id":"ord_1"`},
		{"wrong bracket", `{"id":"ord_1"]`},
		{"form", `id=ord_1&amount=12.50`},
		{"XML", `<order/>`},
		{"duplicate name", strings.TrimSuffix(body(), "}") + `,"amount":1}`},
		{"duplicate name, escaped", strings.TrimSuffix(body(), "}") + `,"\u0061mount":1}`},
		{"duplicate unknown name", strings.TrimSuffix(body(), "}") + `,"x":1,"x":1}`},
		{"duplicate name, nested", body("x", `{"a":1,"a":2}`)},
		{"duplicate name, nested in a list", body("items", `[{"a":[{"b":1,"b":1}]}]`)},
		{"invalid UTF-8 in a value", body("customer", "\"\xff\"")},
		{"invalid UTF-8 in a name", body()[:1] + "\"\xc3\x28\":1," + body()[1:]},
		{"overlong UTF-8", body("customer", "\"\xc0\xaf\"")},
		{"surrogate in UTF-8", body("customer", "\"\xed\xa0\x80\"")},
		{"cut UTF-8", body("customer", "\"\xe2\x82\"")},
		{"lone high surrogate", body("customer", `"\ud800"`)},
		{"lone low surrogate", body("customer", `"\udc00"`)},
		{"surrogates the wrong way round", body("customer", `"\udc00\ud800"`)},
		{"lone surrogate in a name", body()[:1] + `"\ud800":1,` + body()[1:]},
		{"unknown escape", body("customer", `"\x41"`)},
		{"short escape", body("customer", `"\u41"`)},
		{"raw line break in a string", body("customer", "\"a\nb\"")},
		{"raw tab in a string", body("notes", "\"a\tb\"")},
		{"raw null byte in a string", body("customer", "\"a\x00b\"")},
		{"deep lists", strings.Repeat("[", 100_000)},
		{"deep lists, closed", strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)},
		{"deep lists in a field", body("items", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))},
		{"deep objects", strings.Repeat(`{"":`, 60_000)},
	}
	rows = append(rows, malformedNumbers()...)
	all := make([]badBody, len(rows))
	for i, r := range rows {
		all[i] = badBody{name: r.name, body: r.value}
	}
	return all
}

// malformedNumbers lists what is no number, nor anything else, in JSON.
func malformedNumbers() []member {
	var rows []member
	for _, n := range []string{
		"NaN", "Infinity", "-Infinity", "00", "01", "-01", "+1", "-", "1.", ".5", "1.e1", "1e", "1e+", "0x10", "1_000",
		"1,5", "١", "True", "nul", "undefined", "12.50USD", "--1", "1e1e1", "1.2.3",
	} {
		rows = append(rows, member{"amount " + n, body("amount", n)}, member{"priority " + n, body("priority", n)})
	}
	return rows
}
