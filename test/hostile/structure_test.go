package hostile_test

import (
	"fmt"
	"strings"
)

// structures are orders with something around them or between their parts, or within
// something else.
func structures() []document {
	all := documents(y, plain, "\ufeff"+plain)
	for _, space := range []string{" ", "\t", "\r\n", "\n\n", " \t\r\n ", strings.Repeat(" ", 60_000), strings.Repeat("\n", 60_000)} {
		all = append(all, documents(y, space+plain, plain+space, strings.Replace(plain, ":", space+":"+space, 1))...)
	}
	for _, no := range []string{"\v", "\f", "\u00a0", "\u2028", "\u3000", "\u0085", "\x00", "\x1a", "\x1b", "\u200b", "\\n", "\xa0"} {
		all = append(all, documents(n, no+plain, plain+no, strings.Replace(plain, ":", ":"+no, 1))...)
	}
	for _, after := range []string{
		"}", "]", "{", "[", ",", ":", `"`, "'", "\\", "/", "//", "// a", "/* a */", "#", "# a", "--", ";", "x", "0", "1", "null", " null", "true", `""`, "{}", "[]",
		" {}", ",{}", "}{", "][", "\n{}", "\x00{}", "\xff", "\xef\xbb\xbf", "&a=b", "=", "%00", strings.Repeat("}", 100_000), strings.Repeat("\x00", 10_000),
	} {
		all = append(all, documents(n, plain+after)...)
	}
	for _, before := range []string{
		"\ufeff\ufeff", "\xfe\xff", "\xff\xfe", "\x00", "\x00\x00", "{", "[", "}", "]", ",", ":", `"`, "'", "/", "// a\n", "/* a */", "#!a\n", "x", "x=", "0", "1 ",
		"null", "true ", `"" `, "{}", "[]", "{} ", ")]}',\n", "while(1);", "callback(", "order=", "+", "-", "\\", "&", "---\n", "<?xml?>", "\x1f\x8b\x08", "\xff",
	} {
		all = append(all, documents(n, before+plain)...)
	}
	for _, other := range []string{`"'`, `"`, ":=", ":=>", ",;", ", "} { // for each mark, something else
		all = append(all, documents(n, strings.ReplaceAll(plain, other[:1], other[1:]))...)
	}
	all = append(all, documents(x, "["+plain+"]", "[["+plain+"]]", `{"order":`+plain+"}", `"`+strings.ReplaceAll(plain, `"`, `\"`)+`"`)...)
	return append(all, documents(n, strings.Replace(plain, ":", ":\ufeff", 1), "("+plain+")", "f("+plain+")", "["+plain+",]", "["+plain+"}",
		"id=%id%&amount=12.5", "<order><id>%id%</id></order>", "id: %id%\namount: 12.5\n",
		"\xff\xfe"+utf16("", "\x00"), "\xfe\xff"+utf16("\x00", ""), utf16("", "\x00"))...)
}

// utf16 is the plain order in two bytes for each character, of which one is empty.
func utf16(before, after string) string {
	var b strings.Builder
	for _, c := range plain {
		b.WriteString(before + string(c) + after)
	}
	return b.String()
}

// broken are orders that end too early, and orders with one mark too few, too many, or
// replaced by another.
func broken() []document {
	var all []document
	add := func(format string, args ...any) { all = append(all, document{n, fmt.Sprintf(format, args...)}) }
	id := strings.Index(plain, anyID)
	for end := 1; end < len(plain); end++ {
		if end <= id || end >= id+len(anyID) {
			add("%s", plain[:end])
		}
	}
	for at, c := range plain {
		if !strings.ContainsRune(`{}[]:,"`, c) {
			continue
		}
		before, after := plain[:at], plain[at+1:]
		add("%s%s", before, after)
		add("%s%c%c%s", before, c, c, after)
		for _, other := range "{}[]:,;\x00" {
			if c != other {
				add("%s%c%s", before, other, after)
			}
		}
	}
	return append(all, withMember("amount", n,
		"True", "TRUE", "tru", "truee", "t", "False", "fals", "Null", "NULL", "nul", "nulll", "none", "None", "nil", "undefined", "void", "yes", "-true", "true1",
		"nul\x00", "\u00a0null", "null,", "tr ue", "#null", "@", "$", "?", "\\u0031", "new Date()", "/a/", "function(){}", "0x1p3", "<a/>",
	)...)
}

// depths are documents that are nested, closed and not.
func depths() []document {
	const deep = 100_000
	lists := func(times int) string { return strings.Repeat("[", times) + strings.Repeat("]", times) }
	objects := func(times int) string { return strings.Repeat(`{"a":`, times) + "1" + strings.Repeat("}", times) }
	all := documents(n, strings.Repeat("[", deep), strings.Repeat("]", deep), strings.Repeat(`{"":`, deep/2), strings.Repeat(`[{"":`, deep/3),
		strings.Repeat(`"`, deep+1), `"`+strings.Repeat(`\`, deep), strings.Repeat("-", deep))
	// A parser may refuse some depth as malformed.
	for _, times := range []int{2, 3, 100, 1000, 9_990, 10_001, deep} {
		all = append(all, documents(x, lists(times))...)
		all = append(all, withMember("items", x, lists(times))...)
		all = append(all, withMember("more", x, objects(times/4+1))...)
	}
	return all
}

// wholes are documents that are not objects, or whose size is what is wrong.
func wholes() []document {
	many := make([]string, 10_000)
	for k := range many {
		many[k] = fmt.Sprintf(`"m%d":0`, k)
	}
	return append(
		documents(x, "{}", "\xef\xbb\xbf{}", "[]", "null", "true", "false", "0", "-1", "1.5", `""`, `"a"`, `{"":""}`, `{"a":1}`, `[[]]`, `[{}]`, `[null]`, " {} ", "{\n}", "1e400", `"\u0000"`,
			list(50_000, "0"), list(20_000, "{}"), `"`+strings.Repeat("a", 200_000)+`"`, "{"+strings.Join(many, ",")+"}"),
		documents(n, "", " ", "\n", "\t\r\n", "\x00", "\x00\x00\x00", "\xef\xbb\xbf", "{", "}", "[", "]", ",", ":", `"`, "'", "\\", "/", "{]", "[}", "{,}", "[,]",
			"{:}", `{"a"}`, `{"a":}`, `{:1}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a" 1}`, `{"a"::1}`, `{a:1}`, `{1:1}`, `{null:1}`, `{"a":1}}`, `{"a":1`, `["a`, `{"a`, `{"a":"b`,
			"nul", "tru", "-", "+", "e", ".", "NaN", "{}{}", "{}[]", "[][]", "1 2", "1,2", "{}x", "\xff", "\xc3\x28", "\xed\xa0\x80", "[\"\xff\"]", "a", "é", "\U0001f9fa", "--", "/**/", "//", "#",
			"{} //", "\\u007b\\u007d", "%7B%7D", "&", "=", "id=1", "\x1f\x8b\x08\x00\x00", "\x7fELF", "%PDF", "\x16\x03\x01", "PRI * HTTP/2.0", "GET / HTTP/1.1",
			strings.Repeat("\x00", 200_000), strings.Repeat(" ", 200_000), strings.Repeat("a", 200_000), strings.Repeat(",", 200_000), strings.Repeat("0", 200_000),
			strings.Repeat("\xff", 200_000), strings.Repeat("{}", 100_000))...)
}
