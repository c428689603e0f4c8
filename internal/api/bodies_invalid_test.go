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

// wrongItems puts each wrong kind of item at each end of the list.
func wrongItems() []badBody {
	items := map[string][]string{
		`null`: {"wrong_type"}, `true`: {"wrong_type"}, `1`: {"wrong_type"}, `{}`: {"wrong_type"}, `["tea"]`: {"wrong_type"},
		`""`: {"required"}, `" "`: {"required"}, `"\t\n"`: {"required"}, `"\u00a0"`: {"required"},
		`"a\nb"`: {"invalid"}, `"a\u0000"`: {"invalid"}, `"\u007fa"`: {"invalid"}, `"a\u0085b"`: {"invalid"},
		quoted(201, "é"): {"too_long"},
		quoted(201, "😀"): {"too_long"},
		quoted(201, "é")[:1] + `\r` + quoted(201, "é")[1:]: {"too_long", "invalid"},
	}
	var all []badBody
	for value, codes := range items {
		var first, last []string
		for _, code := range codes {
			first, last = append(first, "items[0] "+code), append(last, "items[2] "+code)
		}
		short := value[:min(len(value), 20)]
		all = append(all,
			badBody{"first item is " + short, body("items", "["+value+`,"tea","cups"]`), first},
			badBody{"last item is " + short, body("items", `["tea","cups",`+value+"]"), last})
	}
	return all
}

// quoted is a JSON string of n times the text.
func quoted(n int, text string) string { return `"` + strings.Repeat(text, n) + `"` }

// wrongValues lists values of the right type that are not allowed.
func wrongValues() []badBody {
	codes := map[string]map[string]string{
		"amount": {
			"1e400": "out_of_range", "1e999999999999": "out_of_range", "-1e400": "out_of_range", "1000000000000": "out_of_range",
			"-0": "out_of_range", "0": "out_of_range", "0.00": "out_of_range", "0e5": "out_of_range", "-5": "out_of_range",
			"-0.01": "out_of_range", "0.001": "too_precise", "12.505": "too_precise", "1e-400": "too_precise",
			"1e-3": "too_precise", "-0.001": "too_precise", "999999999999.991": "too_precise",
		},
		"priority": {
			"0": "out_of_range", "4": "out_of_range", "-1": "out_of_range", "1.5": "out_of_range", "1.0": "out_of_range",
			"1e0": "out_of_range", "-0": "out_of_range", "1e400": "out_of_range", "18446744073709551617": "out_of_range",
		},
		"id": {
			`""`: "invalid", `" "`: "invalid", `"ord 1"`: "invalid", `" ord"`: "invalid", `"ord/1"`: "invalid", `"{ord}"`: "invalid",
			`"ord:1"`: "invalid", `"ord*"`: "invalid", `"örd"`: "invalid", `"ord\n"`: "invalid", `"ord\u0000"`: "invalid",
			`"../x"`: "invalid", `"a%20b"`: "invalid", `"😀"`: "invalid", quoted(65, "x"): "invalid", quoted(100_000, "x"): "invalid",
		},
		"status": {
			`""`: "invalid", `"completed"`: "invalid", `"Pending"`: "invalid", `" pending"`: "invalid", `"scheduled"`: "invalid",
			`"pending\u0000"`: "invalid",
		},
		"items":    {`[]`: "required"},
		"customer": {`""`: "required", `"  "`: "required", `"\u2003\u00a0"`: "required"},
		"address":  {`""`: "required", `"\n\t\r"`: "required"},
	}
	var all []badBody
	for field, values := range codes {
		for value, code := range values {
			name := field + " " + value[:min(len(value), 24)]
			all = append(all, badBody{name, body(field, value), []string{field + " " + code}})
		}
	}
	for _, field := range []string{"amount", "items", "customer", "address"} {
		all = append(all, badBody{"without " + field, body(field, ""), []string{field + " required"}})
	}
	all = append(all, controls()...)
	return append(all, unknownNames()...)
}

// controls puts control characters where they are not allowed.
func controls() []badBody {
	var all []badBody
	for _, field := range []string{"customer", "address", "notes"} {
		for _, escape := range []string{`\u0000`, `\u0008`, `\u001b`, `\u007f`, `\u0085`, `\u009f`} {
			all = append(all, badBody{
				field + " with " + escape, body(field, `"a`+escape+`b"`), []string{field + " invalid"},
			})
		}
	}
	for _, escape := range []string{`\u000b`, `\u000c`, `\u0085`} {
		all = append(all, badBody{"notes of nothing but " + escape, body("notes", `" `+escape+`"`), []string{"notes invalid"}})
	}
	for _, escape := range []string{`\n`, `\r`, `\t`} {
		all = append(all, badBody{
			"customer with " + escape, body("customer", `"a`+escape+`b"`), []string{"customer invalid"},
		})
	}
	return all
}

// unknownNames adds members that an order does not have.
func unknownNames() []badBody {
	long := strings.Repeat("é", 50)
	cut := strings.Repeat("é", 32) + "…"
	return []badBody{
		{"empty object", `{}`, []string{"amount required", "items required", "customer required", "address required"}},
		{"unknown name", body("colour", `"red"`), []string{"colour unknown_field"}},
		{"unknown name of null", body("colour", `null`), []string{"colour unknown_field"}},
		{"name in capitals", body("Amount", `1`), []string{"Amount unknown_field"}},
		{"name with a space", body("amount ", `1`), []string{"amount  unknown_field"}},
		{"empty name", body("", "1"), []string{`"" unknown_field`}},
		{"long name", body(long, `1`), []string{cut + " unknown_field"}},
		{"what the server says", body("created_at", `1`, "queue", `"low"`), []string{"created_at unknown_field", "queue unknown_field"}},
		{"prototype", body("__proto__", `{}`), []string{"__proto__ unknown_field"}},
	}
}

// wrongLengths goes one character beyond each bound, in characters of several
// bytes.
func wrongLengths() []badBody {
	var all []badBody
	for field, bound := range map[string]int{"customer": 254, "address": 1000, "notes": 2000} {
		for _, char := range []string{"x", "é", "😀", `\u00e9`, `\ud83d\ude00`} {
			all = append(all, badBody{
				fmt.Sprintf("%s of %d times %s", field, bound+1, char),
				body(field, quoted(bound+1, char)),
				[]string{field + " too_long"},
			})
		}
	}
	return append(all,
		badBody{"1,001 items", body("items", list(1001, `"a"`)), []string{"items too_many"}},
		badBody{"2,001 blanks", body("notes", quoted(2001, " ")), []string{"notes too_long"}},
		badBody{"60,000 items", body("items", list(60_000, `"a"`)), []string{"items too_many"}},
	)
}
