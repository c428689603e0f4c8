package order

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// empty says whether a text shows nothing: it is white space and characters that
// leave no mark, such as U+200B, U+FEFF, and the letters that are blank.
func empty(text string) bool { return !strings.ContainsFunc(text, leavesMark) }

func leavesMark(r rune) bool {
	const brailleBlank, nullNotehead = '\u2800', '\U0001d159'
	return !unicode.IsSpace(r) && r != brailleBlank && r != nullNotehead &&
		!unicode.In(r, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// misleading says whether a character shows nothing itself and changes how the text
// around it is shown: where it begins, in which direction it runs, or in how many
// lines.
func misleading(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Escape makes a text from outside fit to show: what would change how the text
// around it is shown, and what a terminal may take for a command, is written as in
// \u202e. Line feeds and tabs stay. JSON remains the same JSON.
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

// Reason turns an error into the text that is kept with an order: one line of
// printable UTF-8, at most MaxNoteBytes long.
func Reason(err error) string { return Printable(err.Error()) }

// Printable makes a text from outside fit to store, to log and to show in one line:
// valid UTF-8, control characters replaced with spaces, others that mislead written
// as Escape does, at most MaxNoteBytes long and cut on a character boundary.
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
