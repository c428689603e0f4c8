package hostile_test

import (
	"fmt"
	"strings"
)

// structures are orders with something around them or between their parts.
func structures() []document {
	all := []document{wrapped("plain", y, "", "")}
	for _, space := range []string{" ", "\t", "\r\n", "\n\n", " \t\r\n ", strings.Repeat(" ", 60_000), strings.Repeat("\n", 60_000)} {
		all = append(all,
			wrapped("space before: "+shown(space), y, space, ""), wrapped("space behind: "+shown(space), y, "", space),
			document{"space between: " + shown(space), y, func(id string) string {
				return strings.Replace(plain(id), ":", space+":"+space, 1)
			}})
	}
	for _, no := range []string{"\v", "\f", "\u00a0", "\u2028", "\u3000", "\ufeff", "\u0085", "\x00", "\x1a", "\x1b", "\u200b", "\\n", "\xa0"} {
		before := n
		if no == "\ufeff" {
			before = y // the byte order mark
		}
		all = append(all,
			wrapped("no space before: "+shown(no), before, no, ""), wrapped("no space behind: "+shown(no), n, "", no),
			document{"no space between: " + shown(no), n, func(id string) string { return strings.Replace(plain(id), ":", ":"+no, 1) }})
	}
	for _, behind := range []string{
		"}", "]", "{", "[", ",", ":", `"`, "'", "\\", "/", "//", "// a", "/* a */", "#", "# a", "--", ";", "x", "0", "1", "null", " null", "true", `""`, "{}", "[]",
		" {}", ",{}", "}{", "][", "\n{}", "\x00{}", "\xff", "\xef\xbb\xbf", "&a=b", "=", "%00", strings.Repeat("}", 100_000), strings.Repeat("\x00", 10_000),
	} {
		all = append(all, wrapped("behind: "+shown(behind), n, "", behind))
	}
	for _, before := range []string{
		"\ufeff\ufeff", "\xfe\xff", "\xff\xfe", "\x00", "\x00\x00", "{", "[", "}", "]", ",", ":", `"`, "'", "/", "// a\n", "/* a */", "#!a\n", "x", "x=", "0", "1 ",
		"null", "true ", `"" `, "{}", "[]", "{} ", ")]}',\n", "while(1);", "callback(", "order=", "+", "-", "\\", "&", "---\n", "<?xml?>", "\x1f\x8b\x08", "\xff",
	} {
		all = append(all, wrapped("before: "+shown(before), n, before, ""))
	}
	return append(all, enclosed()...)
}

// enclosed are orders within something else that is JSON.
func enclosed() []document {
	return []document{
		wrapped("in a list", x, "[", "]"), wrapped("in two lists", x, "[[", "]]"), wrapped("in an object", x, `{"order":`, "}"),
		{"in a string", x, func(id string) string { return `"` + strings.ReplaceAll(plain(id), `"`, `\"`) + `"` }},
		wrapped("in brackets", n, "(", ")"), wrapped("in a call", n, "f(", ")"), wrapped("list not closed", n, "[", ""),
		wrapped("list not opened", n, "", "]"), wrapped("list with a comma", n, "[", ",]"), wrapped("closed otherwise", n, "[", "}"),
		{"named by ticks", n, func(id string) string { return strings.ReplaceAll(plain(id), `"`, "'") }},
		{"named by nothing", n, func(id string) string { return strings.ReplaceAll(plain(id), `"`, "") }},
		{"by equals", n, func(id string) string { return strings.ReplaceAll(plain(id), ":", "=") }},
		{"by arrows", n, func(id string) string { return strings.ReplaceAll(plain(id), ":", "=>") }},
		{"by semicolons", n, func(id string) string { return strings.ReplaceAll(plain(id), ",", ";") }},
		{"by spaces", n, func(id string) string { return strings.ReplaceAll(plain(id), ",", " ") }},
		{"as a form", n, func(id string) string { return "id=" + id + "&amount=12.5" }},
		{"as XML", n, func(id string) string { return "<order><id>" + id + "</id></order>" }},
		{"as YAML", n, func(id string) string { return "id: " + id + "\namount: 12.5\n" }},
		{"in UTF-16, little end first", n, func(id string) string { return "\xff\xfe" + utf16(plain(id), false) }},
		{"in UTF-16, big end first", n, func(id string) string { return "\xfe\xff" + utf16(plain(id), true) }},
		{"in UTF-16 without a mark", n, func(id string) string { return utf16(plain(id), false) }},
	}
}

// utf16 writes a text of ASCII in two bytes for each character.
func utf16(text string, bigFirst bool) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if bigFirst {
			b.WriteString("\x00" + string(rune(c)))
			continue
		}
		b.WriteString(string(rune(c)) + "\x00")
	}
	return b.String()
}

// broken are orders that end too early, and orders with one mark too few, too
// many, or another one in its place.
func broken() []document {
	const id = "%id%"
	whole := plain(id)
	var all []document
	add := func(name, text string) {
		all = append(all, document{name, n, func(sent string) string { return strings.ReplaceAll(text, id, sent) }})
	}
	for end := 1; end < len(whole); end++ {
		if end <= strings.Index(whole, id) || end >= strings.Index(whole, id)+len(id) {
			add(fmt.Sprintf("cut off at %d", end), whole[:end])
		}
	}
	for at, c := range []byte(whole) {
		if !strings.ContainsRune(`{}[]:,"`, rune(c)) {
			continue
		}
		add(fmt.Sprintf("no %c at %d", c, at), whole[:at]+whole[at+1:])
		add(fmt.Sprintf("%c twice at %d", c, at), whole[:at+1]+whole[at:])
		for _, other := range "{}[]:,;\x00" {
			if rune(c) != other {
				add(fmt.Sprintf("%q for %c at %d", other, c, at), whole[:at]+string(other)+whole[at+1:])
			}
		}
	}
	for _, word := range []string{
		"True", "TRUE", "tru", "truee", "t", "False", "fals", "Null", "NULL", "nul", "nulll", "none", "None", "nil", "undefined", "void", "yes", "-true", "true1",
		"nul\x00", "\u00a0null", "null,", "tr ue", "#null", "@", "$", "?", "\\u0031", "new Date()", "/a/", "function(){}", "0x1p3", "<a/>",
	} {
		all = append(all, withMember("no word", "amount", n, word)...)
	}
	return all
}

// deep is how far some documents are nested.
const deep = 100_000

// depths are documents that are nested, closed and not.
func depths() []document {
	nested := func(open, shut string, times int) string {
		return strings.Repeat(open, times) + strings.Repeat(shut, times)
	}
	all := []document{
		{"lists, not closed", n, func(string) string { return strings.Repeat("[", deep) }},
		{"lists, not opened", n, func(string) string { return strings.Repeat("]", deep) }},
		{"objects, not closed", n, func(string) string { return strings.Repeat(`{"":`, deep/2) }},
		{"both, not closed", n, func(string) string { return strings.Repeat(`[{"":`, deep/3) }},
		{"marks, opened only", n, func(string) string { return strings.Repeat(`"`, deep+1) }},
		{"backslashes", n, func(string) string { return `"` + strings.Repeat(`\`, deep) }},
		{"minus signs", n, func(string) string { return strings.Repeat("-", deep) }},
	}
	for _, times := range []int{1, 2, 100, 1000} {
		all = append(all, withMember("nested lists", "items", x, nested("[", "]", times+1))...)
		all = append(all, withMember("nested objects", "more", x, strings.Repeat(`{"a":`, times)+"1"+strings.Repeat("}", times))...)
	}
	// A parser may have enough of them at some depth, and call them malformed.
	for _, times := range []int{9_990, 10_001, deep} {
		all = append(all, document{
			fmt.Sprintf("%d lists", times), x,
			func(string) string { return nested("[", "]", times) },
		})
		all = append(all, withMember("deep items", "items", x, nested("[", "]", times))...)
		all = append(all, withMember("deep member", "more", x, strings.Repeat(`{"":`, times/4)+"0"+strings.Repeat("}", times/4))...)
	}
	return all
}

// wholes are documents that are no objects, or whose size is what is wrong.
func wholes() []document {
	var all []document
	add := func(want verdict, texts ...string) {
		for _, text := range texts {
			all = append(all, document{"whole: " + shown(text), want, func(string) string { return text }})
		}
	}
	add(x, "{}", "\xef\xbb\xbf{}", "[]", "null", "true", "false", "0", "-1", "1.5", `""`, `"a"`, `{"":""}`, `{"a":1}`, `[[]]`, `[{}]`, `[null]`, " {} ", "{\n}", "1e400", `"\u0000"`,
		list(50_000, "0"), list(20_000, "{}"), `"`+strings.Repeat("a", 200_000)+`"`)
	add(n, "", " ", "\n", "\t\r\n", "\x00", "\x00\x00\x00", "\xef\xbb\xbf", "{", "}", "[", "]", ",", ":", `"`, "'", "\\", "/", "{]", "[}", "{,}", "[,]",
		"{:}", `{"a"}`, `{"a":}`, `{:1}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a" 1}`, `{"a"::1}`, `{a:1}`, `{1:1}`, `{null:1}`, `{"a":1}}`, `{"a":1`, `["a`, `{"a`, `{"a":"b`,
		"nul", "tru", "-", "+", "e", ".", "NaN", "{}{}", "{}[]", "[][]", "1 2", "1,2", "{}x", "\xff", "\xc3\x28", "\xed\xa0\x80", "[\"\xff\"]", "a", "é", "\U0001f9fa", "--", "/**/", "//", "#",
		"{} //", "\\u007b\\u007d", "%7B%7D", "&", "=", "id=1", "\x1f\x8b\x08\x00\x00", "\x7fELF", "%PDF", "\x16\x03\x01", "PRI * HTTP/2.0", "GET / HTTP/1.1",
		strings.Repeat("\x00", 200_000), strings.Repeat(" ", 200_000), strings.Repeat("a", 200_000), strings.Repeat(",", 200_000), strings.Repeat("0", 200_000),
		strings.Repeat("\xff", 200_000), strings.Repeat("{}", 100_000))
	many := make([]string, 10_000)
	for k := range many {
		many[k] = fmt.Sprintf(`"m%d":0`, k)
	}
	add(x, "{"+strings.Join(many, ",")+"}")
	return all
}
