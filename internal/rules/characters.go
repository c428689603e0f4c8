package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"orderprocessor/internal/order"
)

// byteOrderMark begins the files of some editors.
const byteOrderMark = "\uFEFF"

// characters reports whether the document consists of what people can see.
func (d *document) characters(source []byte) bool {
	if len(source) > MaxDocumentBytes {
		d.add(place{1, 1}, wholeDocument, order.CodeTooLong, "must have at most %d KiB", MaxDocumentBytes>>10)
		return false
	}
	line, column := 1, 1
	for i, r := range string(source) {
		if problem := character(source[i:], r); problem != "" {
			d.add(place{line, column}, wholeDocument, order.CodeInvalid, "%s", problem)
			return false
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return true
}

// character says what is wrong with a character at the beginning of a text.
func character(text []byte, r rune) string {
	switch {
	case r == utf8.RuneError && !bytes.HasPrefix(text, []byte("\uFFFD")):
		return "must be UTF-8"
	case r == '\r' && !bytes.HasPrefix(text, []byte("\r\n")),
		r != '\r' && r != '\n' && r != '\t' && unicode.IsControl(r),
		unicode.Is(unicode.Bidi_Control, r), unicode.In(r, unicode.Zl, unicode.Zp), string(r) == byteOrderMark:
		return fmt.Sprintf("must not contain the character %U", r)
	default:
		return ""
	}
}

// withoutSurrogates writes pairs of JSON such as \ud83d\ude00 as YAML does. Columns behind
// one are less by two.
func withoutSurrogates(source []byte) []byte {
	if !bytes.Contains(source, []byte(`\u`)) || !json.Valid(source) {
		return source
	}
	pair := regexp.MustCompile(`\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	return pair.ReplaceAllFunc(source, func(found []byte) []byte {
		if len(found) == len(`\\`) {
			return found
		}
		high, _ := strconv.ParseUint(string(found[2:6]), 16, 16)
		low, _ := strconv.ParseUint(string(found[8:]), 16, 16)
		return fmt.Appendf(nil, `\U%08X`, utf16.DecodeRune(rune(high), rune(low)))
	})
}
