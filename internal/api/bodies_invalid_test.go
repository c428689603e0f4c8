package api_test

import (
	"fmt"
	"strings"
)

// wrongTypes gives every field a value of every JSON type but its own.
func wrongTypes() []badBody {
	values := map[string]string{
		"null": `null`, "true": `true`, "false": `false`, "string": `"12.50"`, "number": `2`,
		"list": `["a"]`, "empty list": `[]`, "object": `{"a":1}`, "empty object": `{}`,
	}
	own := map[string]string{"amount": "number", "priority": "number", "items": "list"}
	var all []badBody
	for _, m := range ordinary() {
		want := own[m.name]
		if want == "" {
			want = "string"
		}
		for kind, value := range values {
			if kind == want || strings.TrimPrefix(kind, "empty ") == want {
				continue
			}
			all = append(all, badBody{m.name + " is " + kind, body(m.name, value), []string{m.name + " wrong_type"}})
		}
	}
	return all
}

// quoted is a JSON string of n times the text.
func quoted(n int, text string) string { return `"` + strings.Repeat(text, n) + `"` }

// wrongValues lists what the decoder must hand to the order or check itself. The package
// order tests the values of each field.
func wrongValues() []badBody {
	long := strings.Repeat("é", 50)
	cut := strings.Repeat("é", 32) + "…"
	var all []badBody
	for _, row := range []struct{ field, value, want string }{
		{"amount", "1e999999999999", "amount out_of_range"},
		{"amount", "-0.01", "amount out_of_range"},
		{"amount", "12.505", "amount too_precise"},
		{"priority", "1.0", "priority out_of_range"},
		{"priority", "18446744073709551617", "priority out_of_range"},
		{"id", `""`, "id invalid"},
		{"id", `"ord 1"`, "id invalid"},
		{"id", `"ord\u0000"`, "id invalid"},
		{"id", quoted(100_000, "x"), "id invalid"},
		{"status", `""`, "status invalid"},
		{"status", `"completed"`, "status invalid"},
		{"items", `[]`, "items required"},
		{"items", list(60_000, `"a"`), "items too_many"},
		{"items", `[null,"tea"]`, "items[0] wrong_type"},
		{"items", `["tea",["cup"]]`, "items[1] wrong_type"},
		{"items", `["tea","\t\n"]`, "items[1] required"},
		{"items", "[" + quoted(201, "😀") + "]", "items[0] too_long"},
		{"customer", `"\u2003\u00a0"`, "customer required"},
		{"customer", `"a\u202eb"`, "customer invalid"},
		{"customer", quoted(255, `\ud83d\ude00`), "customer too_long"},
		{"address", `"\n\t\r"`, "address required"},
		{"address", `"a\u0085b"`, "address invalid"},
		{"notes", `"a\u001bb"`, "notes invalid"},
		{"notes", quoted(2001, "é"), "notes too_long"},
		{"amount", "", "amount required"},
		{"items", "", "items required"},
		{"customer", "", "customer required"},
		{"address", "", "address required"},
		{"colour", "null", "colour unknown_field"},
		{"Amount", "1", "Amount unknown_field"},
		{"amount ", "1", "amount  unknown_field"},
		{"", "1", `"" unknown_field`},
		{long, "1", cut + " unknown_field"},
		{"created_at", "1", "created_at unknown_field"},
		{"__proto__", "{}", "__proto__ unknown_field"},
	} {
		name := fmt.Sprintf("%.12s is %.24s", row.field, row.value)
		all = append(all, badBody{name, body(row.field, row.value), []string{row.want}})
	}
	return append(all, badBody{"empty object", "{}", []string{"amount required", "items required", "customer required", "address required"}})
}
