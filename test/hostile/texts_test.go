package hostile_test

import (
	"fmt"
	"slices"
	"strings"
)

// texts are strings, as they may and may not be written.
func texts() []document {
	return slices.Concat(
		quoted("text", y,
			"a", `a\"b`, `a\\b`, `a\/b`, "a/b", `\u0061`, `\u00e9`, `\u00E9`, "é", "注文", "\U0001f9fa", `\ud83e\uddfa`, `\uD83E\uDDFA`,
			`a\ud83e\uddfab`, `\uffff`, "\uffff", "\ufffd", `\ufffd`, "\U0010ffff", `\udbff\udfff`, "\ufeffa",
			"a\u0301", "\u200ba", "'", "`", "<script>", `\u003c`, "{}[]:,", "null", `\\u0061`, `\\\"`, `\\\\`, "//", "/* */",
			"%00", "$(id)", "a\u00a0b",
		),
		quoted("control character by escape", x, escapes(0, 0x1f)...),
		quoted("control character by name", x, `a\b`, `a\f`, `a\n`, `a\r`, `a\t`),
		quoted("control character as it is", x, "a\x7f", "a\u0080", "a\u0085", "a\u009f"),
		quoted("empty text", x, "", " ", `\u0020`, `\t`, "\u00a0", "\u2003", `\u2028`, "\u2029", "\u200b", `\ufeff`, "\u2063", "\u00ad", "\u2060",
			"\u200d", "\u3164", "\u115f", "\uffa0", "\u2800", "\ufe0f", "\u034f", "\U000e0020", " \u200b\u3000\ufeff"),
		quoted("misleading text", x, `a\u2028b`, "a\u2028b", "a\u2029b", "\u202ea", `a\u202eb`, "a\u202db", "a\u2066b", "a\u2069", "\u200ea", `a\u200f`, "a\u061cb"),
		quoted("raw control character", n, rawControls()...),
		quoted("bad escape", n,
			`\`, `\ `, `\a`, `\v`, `\e`, `\'`, `\0`, `\8`, `\x41`, `\X41`, `\U00000041`, `\N`, `\T`, `\é`, "\\\U0001f9fa", `\u`, `\u0`, `\u00`, `\u006`,
			`\u 061`, `\u+061`, `\u-061`, `\u0x61`, `\u{61}`, `\uZZZZ`, `\u00gg`, `\u006\`, `\u\u0061`, `\uu0061`, `\#`, `\%`, `\&`, `\-`, `\.`, `\:`, `\,`,
			`\[`, `\{`, "\\\n", "\\\x00", "\\\x01", `\\\`, `a\\\`, "\\\xff",
		),
		quoted("lone surrogate", n,
			`\ud800`, `\udbff`, `\udc00`, `\udfff`, `\ud83e`, `\uddfa`, `\uddfa\ud83e`, `\ud83e\ud83e`, `\ud83e\u0041`, `\ud83ea`, `\ud83e\n`, `\ud83e\\uddfa`,
			`\ud83e\`, `\ud83e\u`, `\ud83e\udd`, `\ud800\ud800\udc00`, `a\udc00b`, `\ud83e\uDDFA\ud83e`,
		),
		quoted("not UTF-8", n,
			"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3a", "\xe2\x82", "\xe2\x82a", "\xe2a\xac", "\xe0\x80\x80", "\xe0\x9f\xbf",
			"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\xbe\xed\xb7\xba", "\xf0\x9f\xa7", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
			"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "\xff\xfe", "\xe9", "caf\xe9", "a\x80b", "\xc3\xa9\xa9",
		),
		withMember("no string", "customer", n,
			`"`, `"a`, `a"`, `""a"`, `"a""`, `'a'`, `"a'`, "`a`", "a", "“a”", "«a»", `"a" "b"`, `"a""b"`, `"a"+"b"`, `"""a"""`, `r"a"`, `u"a"`, `\"a\"`, `"\"`,
		),
		withMember("not a string", "customer", x, "1", "true", "null", "[]", `["ada"]`, "{}", `{"a":"b"}`),
		withMember("items", "items", y, `["a"]`, `[ "a" , "b" ]`, "[\t\"a\"\n]", list(1000, `"a"`)),
		withMember("items", "items", x, "[]", `[""]`, `["a",1]`, `[null]`, `[["a"]]`, `[{"a":"b"}]`, `"a"`, "{}", "1", list(1001, `"a"`), list(40_000, `1`),
			`["`+strings.Repeat("a", 201)+`"]`),
		withMember("no items", "items", n,
			`["a",]`, `[,"a"]`, `["a",,"b"]`, `["a" "b"]`, `["a";"b"]`, `["a":"b"]`, `["a"`, `"a"]`, `["a"]]`, `[["a"]`, `[`, `]`, `[,]`, `["a"}`, `{"a"]`, `("a")`,
			`["a",...]`, `[1,`, `[a]`, `["a"],["b"]`, `[*]`, `["a",`+"\x00"+`"b"]`, `[0..1]`, `[`+strings.Repeat(",", 1000)+`]`),
		quoted("long text", y, strings.Repeat("é", 254), strings.Repeat(`\ud83e\uddfa`, 254)),
		quoted("long text", x, strings.Repeat("a", 255), strings.Repeat("a", 200_000), strings.Repeat(`\u0061`, 30_000)),
	)
}

// quoted makes a document for each content of a string.
func quoted(family string, want verdict, contents ...string) []document {
	values := make([]string, len(contents))
	for k, content := range contents {
		values[k] = `"` + content + `"`
	}
	return withMember(family, "customer", want, values...)
}

func escapes(from, to rune) []string {
	var all []string
	for r := from; r <= to; r++ {
		all = append(all, fmt.Sprintf(`a\u%04xb`, r))
	}
	return all
}

// rawControls are the characters that a string must not hold as they are.
func rawControls() []string {
	var all []string
	for r := rune(0); r < 0x20; r++ {
		all = append(all, "a"+string(r)+"b")
	}
	return all
}

func list(length int, value string) string {
	return "[" + strings.Repeat(value+",", length-1) + value + "]"
}

// names are members, as they may and may not be called.
func names() []document {
	return slices.Concat(
		withMember("known name by escapes", `\u006eotes`, y, `"b"`),
		withMember("known name by escapes only", `\u006E\u006f\u0074\u0065\u0073`, y, `"b"`),
		member("unknown name", x, `""`, `" notes"`, `"Notes"`, `"NOTES"`, `"notes "`, `"__proto__"`, `"constructor"`, `"$ref"`, `"\u0000"`,
			`"notes\u0000"`, `"nоtes"`, `"\ud83e\uddfa"`, `"`+strings.Repeat("a", 100_000)+`"`, `"'"`, `"\\"`, `"{}"`),
		member("bad name", n, `notes`, `'notes'`, `"notes`, `notes"`, `1`, `null`, `true`, `[]`, `{}`, `"\ud800"`, `"\x41"`, `"`+"\xff"+`"`, `"a`+"\n"+`"`,
			`"notes" "a"`, `"a":"b"`, `*`, `""""`, "\x00", `"`+"\x00"+`"`, `--"a"`),
		twice("id", `"other"`), twice("amount", "12.5"), twice("amount", "99"), twice("items", `["tea"]`), twice("customer", `"ada"`),
		twice(`\u0061mount`, "99"), twice(`amoun\u0074`, "12.5"), twice("address", "null"),
		withMember("a name twice in an unknown member", "more", n, `{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `[{"":0,"":0}]`, `{"a":{"b":{"c":1,"c":2}}}`),
	)
}

// member makes a document for each name of one member more.
func member(family string, want verdict, names ...string) []document {
	all := make([]document, len(names))
	for k, name := range names {
		all[k] = document{
			name: fmt.Sprintf("%s: %s", family, shown(name)), want: want,
			text: func(id string) string { return strings.TrimSuffix(plain(id), "}") + "," + name + `:"a"}` },
		}
	}
	return all
}

// twice is an order that says one thing two times.
func twice(name, raw string) []document {
	return []document{{
		name: "said twice: " + name + " " + raw, want: n,
		text: func(id string) string { return strings.TrimSuffix(plain(id), "}") + `,"` + name + `":` + raw + "}" },
	}}
}
