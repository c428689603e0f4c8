package api_test

import (
	"fmt"
	"slices"
	"strings"
)

// body is a submission that has every field, with changes, which alternate names and
// values. An empty value leaves the member out; a new name is added.
func body(changes ...string) string {
	members := [][2]string{
		{"id", `"ord_1"`},
		{"amount", `12.50`},
		{"items", `["tea","cups"]`},
		{"customer", `"ada@example.com"`},
		{"address", `"12 Main Street\nLondon"`},
		{"priority", `2`},
		{"status", `"pending"`},
		{"notes", `"ring twice"`},
	}
	for change := range slices.Chunk(changes, 2) {
		at := slices.IndexFunc(members, func(m [2]string) bool { return m[0] == change[0] })
		if at < 0 {
			members = append(members, [2]string(change))
			continue
		}
		members[at] = [2]string(change)
	}
	var text strings.Builder
	for _, m := range members {
		if m[1] != "" {
			fmt.Fprintf(&text, ",%q:%s", m[0], m[1])
		}
	}
	return "{" + strings.TrimPrefix(text.String(), ",") + "}"
}

// withID is a submission with an id and changes.
func withID(id string, changes ...string) string {
	return body(append([]string{"id", `"` + id + `"`}, changes...)...)
}

// lines is n submissions whose ids begin with the prefix, one on each line.
func lines(prefix string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintln(&text, withID(fmt.Sprint(prefix, i)))
	}
	return text.String()
}

// list is a JSON list of n times the same value.
func list(n int, value string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
}

// quoted is a JSON string of n times the text.
func quoted(n int, text string) string { return `"` + strings.Repeat(text, n) + `"` }

// badBody is a body that is not an order. Without fields it is not a JSON object.
type badBody struct {
	body   string
	fields []string // as "field code"
	detail string   // empty if it is not checked
}

// badBodies lists what the decoder checks itself or has to pass on. Package order tests the
// values of each field, and test/hostile has a long list of malformed bodies.
func badBodies() []badBody {
	long := strings.Repeat("é", 50)
	short := strings.Repeat("é", 32) + "…"
	all := []badBody{
		{"", nil, "The body is empty; it must be a JSON object."},
		{" \t\r\n ", nil, "The body is empty; it must be a JSON object."},
		{"null", nil, "The body must be a JSON object."},
		{`"order"`, nil, "The body must be a JSON object."},
		{"[" + body() + "]", nil, "The body must be a JSON object."},
		{"{\"\xff\":1}", nil, "The body is not valid UTF-8."},
		{body("customer", "\"\xff\""), nil, "The body is not valid UTF-8."},
		{`{"id":"a","id":"b"}`, nil, "The name at /id occurs twice."},
		{`{"amount":1,"\u0061mount":1}`, nil, "The name at /amount occurs twice."},
		{body("x", `{"a":1,"a":2}`), nil, "The name at /x/a occurs twice."},
		{body()[:40], nil, "The body is not valid JSON: at byte 40, unexpected EOF."},
		{body() + "x", nil, ""},
		{body() + body(), nil, ""},
		{body() + "\x00", nil, ""},
		{"\ufeff\ufeff" + body(), nil, ""},
		{`{/* hi */"id":"ord_1"}`, nil, ""},
		{"id=ord_1&amount=12.50", nil, ""},
		{body("customer", `"\ud800"`), nil, ""},
		{body("customer", "\"a\nb\""), nil, ""},
		{body("amount", "NaN"), nil, ""},
		{body("priority", "01"), nil, ""},
		{body("items", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), nil, ""},

		{body("notes", `null`), []string{"notes wrong_type"}, "notes must be a string, not null."},
		{body("customer", `7`), []string{"customer wrong_type"}, "customer must be a string, not a number."},
		{body("amount", `"12.50"`), []string{"amount wrong_type"}, "amount must be a number, not a string."},
		{body("amount", `true`), []string{"amount wrong_type"}, "amount must be a number, not a boolean."},
		{body("priority", `false`), []string{"priority wrong_type"}, "priority must be a number, not a boolean."},
		{body("items", `{}`), []string{"items wrong_type"}, "items must be a list of strings and objects, not an object."},
		{body("id", `[]`), []string{"id wrong_type"}, "id must be a string, not a list."},
		{body("items", `["tea",7]`), []string{"items[1] wrong_type"}, "items[1] must be a string or an object, not a number."},
		{body("items", `[null,"tea"]`), []string{"items[0] wrong_type"}, "items[0] must be a string or an object, not null."},
		{body("process_at", `1795435200`), []string{"process_at wrong_type"}, "process_at must be a string, not a number."},
		{body("id", `""`), []string{"id invalid"}, "id must not be empty."},
		{body("status", `""`), []string{"status invalid"}, "status must not be empty."},
		{body("process_at", `""`), []string{"process_at invalid"}, "process_at must not be empty."},
		{body("process_at", `"9999-12-31T23:59:59Z"`), []string{"process_at out_of_range"}, ""},
		{body("id", `".."`), []string{"id invalid"}, ""},
		{body("id", quoted(100_000, "x")), []string{"id invalid"}, ""},
		{body("amount", "1e999999999999"), []string{"amount out_of_range"}, ""},
		{body("amount", "0.001"), []string{"amount too_precise"}, "amount must have at most two decimals."},
		{body("priority", "18446744073709551617"), []string{"priority out_of_range"}, ""},
		{body("items", `[]`), []string{"items required"}, ""},
		{body("items", list(60_000, `"a"`)), []string{"items too_many"}, ""},
		{body("items", `["tea","\t"]`), []string{"items[1] required"}, ""},
		{body("customer", quoted(255, `\ud83d\ude00`)), []string{"customer too_long"}, ""},
		{body("customer", `"a\u202eb"`), []string{"customer invalid"}, ""},
		{body("notes", ``, "colour", `null`), []string{"colour unknown_field"}, "colour is not a field of an order."},
		{body("Amount", "1"), []string{"Amount unknown_field"}, ""},
		{body("", "1"), []string{`"" unknown_field`}, ""},
		{body(long, "1"), []string{short + " unknown_field"}, ""},
		{body("__proto__", "{}"), []string{"__proto__ unknown_field"}, ""},
		{"{}", []string{"amount required", "items required", "customer required", "address required"}, "4 problems were found; errors lists them."},
		{ // a wrong value in every field
			body("id", `"a,b"`, "amount", `0.001`, "items", `["",1,"a\u0000"]`, "customer", `" "`, "address", quoted(1001, "a"),
				"priority", `9`, "status", `"completed"`, "notes", `"\u0007"`, "extra", `1`),
			[]string{
				"items[1] wrong_type", "extra unknown_field", "id invalid", "amount too_precise", "items[0] required",
				"items[2] invalid", "customer required", "address too_long", "priority out_of_range", "notes invalid",
				"status invalid",
			},
			"11 problems were found; errors lists them.",
		},
		{ // a wrong type in every field
			`{"id":1,"amount":"1","items":{},"customer":1,"address":[],"priority":"1","status":2,"notes":null}`,
			[]string{
				"id wrong_type", "amount wrong_type", "items wrong_type", "customer wrong_type", "address wrong_type",
				"priority wrong_type", "status wrong_type", "notes wrong_type",
			},
			"8 problems were found; errors lists them.",
		},
		{body("address", `"`+strings.Repeat("a", 1000)+`\u0000"`), []string{"address too_long", "address invalid"}, ""},
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff", "\xff\xfe\x00\x00"} {
		all = append(all, badBody{mark + body(), nil, "The body begins with the byte order mark of UTF-16 or UTF-32; it must be UTF-8."})
	}
	return all
}
