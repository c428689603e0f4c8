package hostile_test

import (
	"fmt"
	"slices"
	"strings"
)

// texts are strings in valid and invalid notation.
func texts() []document {
	return slices.Concat(
		quoted(y,
			"a", `a\"b`, `a\\b`, `a\/b`, "a/b", `\u0061`, `\u00e9`, `\u00E9`, "é", "注文", "\U0001f9fa", `\ud83e\uddfa`, `\uD83E\uDDFA`,
			`a\ud83e\uddfab`, `\uffff`, "\uffff", "\ufffd", `\ufffd`, "\U0010ffff", `\udbff\udfff`, "\ufeffa",
			"a\u0301", "\u200ba", "'", "`", "<script>", `\u003c`, "{}[]:,", "null", `\\u0061`, `\\\"`, `\\\\`, "//", "/* */",
			"%00", "$(id)", "a\u00a0b",
		),
		quoted(x, controls(`\u%04x`)...),
		quoted(x, `a\b`, `a\f`, `a\n`, `a\r`, `a\t`),
		quoted(x, "a\x7f", "a\u0080", "a\u0085", "a\u009f"),
		quoted(x, "", " ", `\u0020`, `\t`, "\u00a0", "\u2003", `\u2028`, "\u2029", "\u200b", `\ufeff`, "\u2063", "\u00ad", "\u2060",
			"\u200d", "\u3164", "\u115f", "\uffa0", "\u2800", "\ufe0f", "\u034f", "\U000e0020", " \u200b\u3000\ufeff"),
		quoted(x, `a\u2028b`, "a\u2028b", "a\u2029b", "\u202ea", `a\u202eb`, "a\u202db", "a\u2066b", "a\u2069", "\u200ea", `a\u200f`, "a\u061cb"),
		quoted(n, controls("%c")...),
		quoted(n,
			`\`, `\ `, `\a`, `\v`, `\e`, `\'`, `\0`, `\8`, `\x41`, `\X41`, `\U00000041`, `\N`, `\T`, `\é`, "\\\U0001f9fa", `\u`, `\u0`, `\u00`, `\u006`,
			`\u 061`, `\u+061`, `\u-061`, `\u0x61`, `\u{61}`, `\uZZZZ`, `\u00gg`, `\u006\`, `\u\u0061`, `\uu0061`, `\#`, `\%`, `\&`, `\-`, `\.`, `\:`, `\,`,
			`\[`, `\{`, "\\\n", "\\\x00", "\\\x01", `\\\`, `a\\\`, "\\\xff",
		),
		quoted(n,
			`\ud800`, `\udbff`, `\udc00`, `\udfff`, `\ud83e`, `\uddfa`, `\uddfa\ud83e`, `\ud83e\ud83e`, `\ud83e\u0041`, `\ud83ea`, `\ud83e\n`, `\ud83e\\uddfa`,
			`\ud83e\`, `\ud83e\u`, `\ud83e\udd`, `\ud800\ud800\udc00`, `a\udc00b`, `\ud83e\uDDFA\ud83e`,
		),
		quoted(n,
			"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3a", "\xe2\x82", "\xe2\x82a", "\xe2a\xac", "\xe0\x80\x80", "\xe0\x9f\xbf",
			"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\xbe\xed\xb7\xba", "\xf0\x9f\xa7", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
			"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "\xff\xfe", "\xe9", "caf\xe9", "a\x80b", "\xc3\xa9\xa9",
		),
		withMember("customer", n,
			`"`, `"a`, `a"`, `""a"`, `"a""`, `'a'`, `"a'`, "`a`", "a", "“a”", "«a»", `"a" "b"`, `"a""b"`, `"a"+"b"`, `"""a"""`, `r"a"`, `u"a"`, `\"a\"`, `"\"`,
		),
		withMember("customer", x, "1", "true", "null", "[]", `["ada"]`, "{}", `{"a":"b"}`),
		withMember("items", y, `["a"]`, `[ "a" , "b" ]`, "[\t\"a\"\n]", list(1000, `"a"`), `[{"name":"a"}]`, `["a",{"name":"b","quantity":1,"unit_price":0,"sku":"c"}]`),
		withMember("items", x, "[]", `[""]`, `["a",1]`, `[null]`, `[["a"]]`, `[{"a":"b"}]`, `"a"`, "{}", "1", list(1001, `"a"`), list(40_000, `1`),
			`["`+strings.Repeat("a", 501)+`"]`, `[{}]`, `[{"name":"a","b":1}]`, `[{"name":"a","quantity":1.0}]`, `[{"name":"a","quantity":1e3}]`,
			`[{"name":"a","unit_price":-1}]`, `[{"name":"a","sku":null}]`, `[{"name":["a"]}]`),
		withMember("items", n,
			`["a",]`, `[,"a"]`, `["a",,"b"]`, `["a" "b"]`, `[{"name":"a","name":"a"}]`, `["a";"b"]`, `["a":"b"]`, `["a"`, `"a"]`, `["a"]]`, `[["a"]`, `[`, `]`, `[,]`, `["a"}`, `{"a"]`, `("a")`,
			`["a",...]`, `[1,`, `[a]`, `["a"],["b"]`, `[*]`, `["a",`+"\x00"+`"b"]`, `[0..1]`, `[`+strings.Repeat(",", 1000)+`]`),
		quoted(y, strings.Repeat("é", 254), strings.Repeat(`\ud83e\uddfa`, 254)),
		quoted(x, strings.Repeat("a", 255), strings.Repeat("a", 200_000), strings.Repeat(`\u0061`, 30_000)),
	)
}

// quoted makes a document for each content of a string.
func quoted(want verdict, contents ...string) []document {
	values := make([]string, len(contents))
	for k, content := range contents {
		values[k] = `"` + content + `"`
	}
	return withMember("customer", want, values...)
}

// controls are the control characters of ASCII, each written with the format.
func controls(format string) []string {
	var all []string
	for r := rune(0); r < 0x20; r++ {
		all = append(all, "a"+fmt.Sprintf(format, r)+"b")
	}
	return all
}

func list(length int, value string) string {
	return "[" + strings.Repeat(value+",", length-1) + value + "]"
}

// names are members with valid and invalid names.
func names() []document {
	return slices.Concat(
		withMember(`\u006eotes`, y, `"b"`),
		withMember(`\u006E\u006f\u0074\u0065\u0073`, y, `"b"`),
		member(x, `""`, `" notes"`, `"Notes"`, `"NOTES"`, `"notes "`, `"__proto__"`, `"constructor"`, `"$ref"`, `"\u0000"`,
			`"notes\u0000"`, `"nоtes"`, `"\ud83e\uddfa"`, `"`+strings.Repeat("a", 100_000)+`"`, `"'"`, `"\\"`, `"{}"`),
		member(n, `notes`, `'notes'`, `"notes`, `notes"`, `1`, `null`, `true`, `[]`, `{}`, `"\ud800"`, `"\x41"`, `"`+"\xff"+`"`, `"a`+"\n"+`"`,
			`"notes" "a"`, `"a":"b"`, `*`, `""""`, "\x00", `"`+"\x00"+`"`, `--"a"`),
		documents(n, twice("id", `"other"`), twice("amount", "12.5"), twice("amount", "99"), twice("items", `["tea"]`), twice("customer", `"ada"`),
			twice(`\u0061mount`, "99"), twice(`amoun\u0074`, "12.5"), twice("address", "null")),
		withMember("more", n, `{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `[{"":0,"":0}]`, `{"a":{"b":{"c":1,"c":2}}}`),
	)
}

// member makes a document for each name of one member more.
func member(want verdict, names ...string) []document {
	all := documents(want, names...)
	for k := range all {
		all[k].text = strings.TrimSuffix(plain, "}") + "," + all[k].text + `:"a"}`
	}
	return all
}

// twice is an order that has a member again.
func twice(name, raw string) string {
	return strings.TrimSuffix(plain, "}") + `,"` + name + `":` + raw + "}"
}
