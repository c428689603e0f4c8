package cli

import (
	"bufio"
	"errors"
	"io"
)

// values reads the members of a JSON array. It finds out only where each ends, so that
// one that is wrong inside does not hide those behind it.
type values struct {
	in   *bufio.Reader
	line int
	open bool // the array has not ended
	read int  // how many values there were
	size int  // bytes since the last value
}

// The ways in which the text between values can be wrong.
var (
	errNotClosed  = errors.New("begins an array that does not end")
	errAfterArray = errors.New("follows the end of the array")
	errComma      = errors.New("must be parted from what is before it by one comma")
)

func (v *values) next() (entry, error) {
	commas := 0
	for {
		c, err := v.byte()
		switch {
		case errors.Is(err, io.EOF) && v.open:
			v.open = false
			return entry{line: v.line, err: errNotClosed}, nil
		case err != nil:
			return entry{}, err
		case c == ',' && v.open:
			commas++
		case c == ']' && v.open:
			v.open = false
			if commas > 0 {
				return entry{line: v.line, err: errComma}, nil
			}
		case !blank(c):
			return v.value(c, commas)
		}
	}
}

// value reads the rest of the value that begins with c.
func (v *values) value(c byte, commas int) (entry, error) {
	e := entry{line: v.line}
	v.read++
	s := span{}
	for {
		if e.err == nil {
			e.text = append(e.text, c)
		}
		if len(e.text) > maxOrderBytes {
			e.text, e.err = nil, errTooLong
		}
		if s.step(c) || s.scalar() && v.endsBefore() {
			break
		}
		var err error
		if c, err = v.byte(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return entry{}, err
		}
	}
	e.size, v.size = v.size, 0
	switch {
	case !v.open:
		e.err = errAfterArray
	case commas != min(v.read-1, 1):
		e.err = errComma
	}
	return e, nil
}

func (v *values) byte() (byte, error) {
	c, err := v.in.ReadByte()
	if err == nil {
		v.size++
	}
	if c == '\n' {
		v.line++
	}
	return c, err
}

// endsBefore says whether the next byte cannot belong to a bare word.
func (v *values) endsBefore() bool {
	b, err := v.in.Peek(1)
	return err != nil || blank(b[0]) || b[0] == ',' || b[0] == ']' || b[0] == '{'
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// span follows the brackets and strings of one value.
type span struct {
	depth           int
	quoted, escaped bool
}

// step takes the next byte and says whether the value ends with it. It never
// does for a bare word, which ends before what follows.
func (s *span) step(c byte) bool {
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted && c == '\\':
		s.escaped = true
	case c == '"':
		s.quoted = !s.quoted
		return !s.quoted && s.depth == 0
	case s.quoted:
	case c == '{' || c == '[':
		s.depth++
	case c == '}' || c == ']':
		s.depth--
		return s.depth <= 0
	}
	return false
}

// scalar says whether the value is a bare word so far.
func (s *span) scalar() bool { return s.depth == 0 && !s.quoted }
