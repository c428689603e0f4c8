package order

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// empty reports whether a text shows nothing: it consists of white space and characters
// without a glyph, such as U+200B, U+FEFF, and blank letters.
func empty(text string) bool { return !strings.ContainsFunc(text, leavesMark) }

func leavesMark(r rune) bool {
	const brailleBlank, nullNotehead = '\u2800', '\U0001d159'
	return !unicode.IsSpace(r) && r != brailleBlank && r != nullNotehead &&
		!unicode.In(r, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// misleading reports whether a character is invisible and changes how the text around
// it is shown: its direction, or its line breaks.
func misleading(r rune) bool {
	return r > unicode.MaxLatin1 && (unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029')
}

// Escape makes a text from outside safe to show. Characters that change how the text
// around them is shown, or that a terminal may interpret, are written as in \u202e. Line
// feeds and tabs stay. Escaped JSON means the same.
func Escape(text string) string {
	if !strings.ContainsFunc(text, escaped) {
		return text
	}
	var shown strings.Builder
	for _, r := range text {
		if escaped(r) {
			_, _ = fmt.Fprintf(&shown, `\u%04x`, r) // all of them are in the first plane
			continue
		}
		shown.WriteRune(r)
	}
	return shown.String()
}

func escaped(r rune) bool {
	return misleading(r) || unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r)
}

// Reason returns an error's text as it is stored with an order: one line of printable
// UTF-8, at most MaxNoteBytes long.
func Reason(err error) string { return Printable(err.Error()) }

// Printable makes a text from outside safe to store, to log and to show in one line. The
// result is valid UTF-8 of at most MaxNoteBytes, cut on a character boundary, with
// spaces for control characters and other misleading characters as Escape writes them.
func Printable(text string) string {
	text = text[:min(len(text), 2*MaxNoteBytes)]
	text = Escape(strings.Map(printable, strings.ToValidUTF8(text, "\uFFFD")))
	if len(text) <= MaxNoteBytes {
		return text
	}
	end := MaxNoteBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
