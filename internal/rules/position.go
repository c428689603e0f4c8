package rules

import (
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// within returns the place in the document of a mistake in an expression. White space is
// what YAML may fold, indent or leave out, so the other characters are counted: the place
// of the n-th of them in the expression is the n-th in the document.
func (d *document) within(n *yaml.Node, when string, m mistake) place {
	before, onMark := marksBefore(when, m)
	here := source{lines: d.lines, line: n.Line - 1, column: n.Column - 1, style: n.Style}
	here.begin()
	last := at(n)
	for {
		where, ok := here.next()
		switch {
		case !ok || before == 0 && !onMark:
			return last
		case before == 0:
			return where
		}
		before--
		last = place{where.line, where.column + 1}
	}
}

// marksBefore counts the characters before a mistake that are not white space, and
// reports whether it is at another one.
func marksBefore(when string, m mistake) (marks int, onMark bool) {
	line, column := 1, 0
	for _, r := range when {
		mark := !unicode.IsSpace(r)
		if line == m.line && column == m.column {
			return marks, mark
		}
		if mark {
			marks++
		}
		if column++; r == '\n' {
			line, column = line+1, 0
		}
	}
	return marks, false
}

// source is the text of a scalar in the document. Lines and columns count from 0.
type source struct {
	lines        [][]rune
	line, column int
	style        yaml.Style
}

// begin goes to the first character of the text.
func (s *source) begin() {
	switch {
	case s.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		s.column++
	case s.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.line, s.column = s.line+1, 0
	}
}

// next returns the place of the next character that is not white space.
func (s *source) next() (place, bool) {
	for s.line < len(s.lines) {
		if s.column >= len(s.lines[s.line]) {
			s.line, s.column = s.line+1, 0
			continue
		}
		where := place{s.line + 1, s.column + 1}
		width, mark := s.character(s.lines[s.line][s.column:])
		s.column += width
		if mark {
			return where, true
		}
	}
	return place{}, false
}

// character returns how many characters of the document stand for the next one of the
// text, and whether that is not white space.
func (s *source) character(rest []rune) (width int, mark bool) {
	switch {
	case s.style&yaml.SingleQuotedStyle != 0 && rest[0] == '\'':
		return len(`''`), true
	case s.style&yaml.DoubleQuotedStyle != 0 && rest[0] == '\\':
		return escape(rest[1:])
	default:
		return 1, !unicode.IsSpace(rest[0])
	}
}

// escape does the same for an escaped character, without its backslash. At the end of a
// line that is the line feed.
func escape(rest []rune) (width int, mark bool) {
	if len(rest) == 0 {
		return 1, false
	}
	if digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[rest[0]]; digits > 0 && len(rest) > digits {
		code, _ := strconv.ParseInt(string(rest[1:digits+1]), 16, 32) // the parser has read it
		return 2 + digits, !unicode.IsSpace(rune(code))
	}
	return 2, !strings.ContainsRune(" \tntrvfNLP_", rest[0])
}
