package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxOrderBytes bounds one order of a file: what the API accepts.
	maxOrderBytes = 256 << 10
	// maxExcerpt bounds what is examined of a mistake to explain it, and the white
	// space between two orders that long ones can have.
	maxExcerpt = 4 << 10
	// byteOrderMark begins the files of some editors.
	byteOrderMark = "\uFEFF"
)

// entry is one order of a file, or a mistake.
type entry struct {
	line int    // where it begins, from 1
	size int64  // bytes of the file since the entry before it
	text []byte // a JSON value that belongs to the receiver
	err  error  // why it cannot be an order
}

var (
	errTooLong    = fmt.Errorf("is longer than %d KiB", maxOrderBytes>>10)
	errNotObject  = errors.New("is not a JSON object")
	errArray      = errors.New("is a JSON array; orders are expected here: an array must be the whole file")
	errAfterArray = errors.New("follows the end of the array")
)

// orderInput reads the orders of a file one by one, in bounded memory. It reads no further
// than it must, as the file may be a pipe that is still being written.
type orderInput interface {
	// next returns io.EOF after the last entry, or why the file cannot be read further.
	next() (entry, error)
}

// submitInput is the orderInput of a file of JSON.
type submitInput struct {
	file  *source
	dec   *jsontext.Decoder
	end   int64 // where in the file the last entry ended
	begun bool
	array bool // within the array that is the file
	ended bool // after that array
}

// newSubmitInput returns an error for a file that is not JSON at all.
func newSubmitInput(file io.Reader) (*submitInput, error) {
	s, err := newSource(file)
	if err != nil {
		return nil, err
	}
	return &submitInput{file: s, dec: newDecoder(s)}, nil
}

// newDecoder returns a decoder that leaves it to the API to judge names and texts.
func newDecoder(r io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// next implements orderInput.
func (r *submitInput) next() (entry, error) {
	r.file.budget = maxOrderBytes + maxExcerpt
	kind := r.dec.PeekKind()
	if kind == '[' && !r.begun || kind == ']' && r.array {
		if _, err := r.dec.ReadToken(); err != nil {
			return r.resume(err)
		}
		r.begun, r.array, r.ended = true, kind == '[', kind == ']'
		return r.next()
	}
	r.begun = true
	value, err := r.dec.ReadValue()
	if err != nil {
		return r.resume(err)
	}
	e := entry{line: r.line(0) - newlines(value), text: slices.Clone(value)}
	switch {
	case r.ended:
		e.err = errAfterArray
	case len(value) > maxOrderBytes:
		e.err = errTooLong
	case value[0] == '[':
		e.err = errArray
	case value[0] != '{':
		e.err = errNotObject
	}
	return r.measured(e), nil
}

// blanks is how much white space precedes the next value.
func (r *submitInput) blanks() int {
	ahead := r.dec.UnreadBuffer()
	return len(ahead) - len(bytes.TrimLeft(ahead, " \t\r\n"))
}

func newlines(text []byte) int { return bytes.Count(text, []byte("\n")) }

// line is the line of a byte that is so far ahead of what was decoded.
func (r *submitInput) line(ahead int) int {
	return r.file.line - newlines(r.dec.UnreadBuffer()[ahead:])
}

// measured returns the entry with its size.
func (r *submitInput) measured(e entry) entry {
	begin := r.end
	r.end = r.file.offset - int64(len(r.dec.UnreadBuffer()))
	e.size += r.end - begin
	return e
}

// source is a file of which a part can be read again. It bounds what is read at once.
type source struct {
	file   io.Reader
	ahead  []byte // to be read first
	offset int64  // of the next byte to be read
	line   int    // of that byte, from 1
	budget int64  // reading more than this is errTooLong
}

// newSource returns a file behind its byte order mark, or an error for a file that is not
// text in UTF-8.
func newSource(file io.Reader) (*source, error) {
	in := bufio.NewReader(file)
	if begin, _ := in.Peek(len(byteOrderMark)); string(begin) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark))
	}
	if err := checkFormat(in); err != nil {
		return nil, err
	}
	return &source{file: in, line: 1}, nil
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (n int, err error) {
	switch {
	case len(s.ahead) > 0:
		n = copy(p, s.ahead)
		s.ahead = s.ahead[n:]
	case s.budget <= 0:
		return 0, errTooLong
	default:
		n, err = s.file.Read(p[:min(int64(len(p)), s.budget)])
		s.budget -= int64(n)
	}
	s.offset += int64(n)
	s.line += newlines(p[:n])
	return n, err
}

// unread puts back the text that was read last.
func (s *source) unread(text []byte) {
	s.ahead = slices.Concat(text, s.ahead)
	s.offset -= int64(len(text))
	s.line -= newlines(text)
}
