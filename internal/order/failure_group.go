package order

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// FailureGroup is all failed orders whose errors are alike.
type FailureGroup struct {
	// Fingerprint is what their errors have in common; see ErrorFingerprint.
	Fingerprint string
	// Error is the error of the newest of them.
	Error string
	// Note is what the shop answered to the last attempt at that order; it may be empty.
	Note string
	// Queue is the queue of that order.
	Queue Queue
	// Orders is how many there are.
	Orders int
	// FirstSeen is when the first of them failed, UTC.
	FirstSeen time.Time
	// LastSeen is when the newest of them failed, UTC.
	LastSeen time.Time
	// ExampleIDs are the ids of the newest of them, up to MaxExamples, newest first.
	ExampleIDs []string
}

// MaxExamples bounds the ids of a FailureGroup.
const MaxExamples = 5

// variable stands in a fingerprint for what differs between errors that are alike.
const variable = "#"

// ErrorFingerprint returns the text of an error without what differs from order to
// order: each word with a digit in it, as in ids, numbers, addresses, durations and hex,
// and each word of at least eight hex digits becomes a #. An HTTP status after "answered" stays. A word consists of letters,
// digits and _, and of - and . within it. White space becomes single blanks. The result is no
// longer than the text, and its own fingerprint. The archive stores fingerprints: after a
// change of this function, earlier errors are in groups of their own.
func ErrorFingerprint(text string) string {
	var out strings.Builder
	last := ""
	for rest := strings.Join(strings.Fields(text), " "); rest != ""; {
		word := wordOf(rest)
		switch {
		case word == "": // a character between words
			_, size := utf8.DecodeRuneInString(rest)
			out.WriteString(rest[:size])
			rest = rest[size:]
			continue
		case varies(word) && !isStatus(word, last):
			out.WriteString(variable)
		default:
			out.WriteString(word)
		}
		rest, last = rest[len(word):], word
	}
	return out.String()
}

// wordOf returns the word that a text begins with, or nothing. A word ends with a letter,
// a digit or _.
func wordOf(text string) string {
	end := 0
	for i, r := range text {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_':
			end = i + utf8.RuneLen(r)
		case end == 0, r != '-' && r != '.':
			return text[:end]
		}
	}
	return text[:end]
}

// varies reports whether a word looks like it belongs to one order.
func varies(word string) bool {
	const hexDigits, leastHex = "abcdefABCDEF", 8
	return strings.ContainsFunc(word, unicode.IsDigit) ||
		len(word) >= leastHex && strings.Trim(word, hexDigits) == ""
}

// isStatus reports whether a word is the HTTP status that the shop answered.
func isStatus(word, before string) bool {
	return before == "answered" && len(word) == len("503") && strings.Trim(word, "0123456789") == ""
}
