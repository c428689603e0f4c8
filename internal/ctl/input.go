package ctl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// entry is one order of a file, as it was written there.
type entry struct {
	line int    // where it begins, from 1
	size int    // bytes of the file it took
	text []byte // belongs to the receiver
	err  error  // why it cannot be an order
}

// errTooLong is an entry that the API would refuse for its length alone.
var errTooLong = fmt.Errorf("is longer than %d KiB", maxOrderBytes>>10)

// entries reads the orders of a file one by one, in bounded memory.
type entries interface {
	// next returns io.EOF after the last entry, or why the file could not be
	// read.
	next() (entry, error)
}

// newEntries finds out how orders are written in the file: as an array, as
// objects over several lines, or as one object a line. It reads no further than
// it must, as the file may be a pipe that somebody is writing to.
func newEntries(file io.Reader) (entries, error) {
	in := bufio.NewReader(file)
	skipMark(in)
	line, first, err := skipBlank(in, 1)
	if err != nil {
		return nil, err
	}
	if first == '[' {
		_, _ = in.Discard(1)
		return &values{in: in, line: line, array: true, open: true}, nil
	}
	l := &lines{in: in, line: line - 1}
	if first != '{' {
		return l, nil
	}
	e, err := l.next()
	if err != nil {
		return nil, err
	}
	if e.err != nil || !unfinished(e.text) {
		l.ahead = []entry{e}
		return l, nil //nolint:nilerr // the entry carries the error
	}
	return afterUnfinished(l, e)
}

// skipBlank reads white space, and returns the first byte after it, which stays
// to be read, and its line. It returns io.EOF when there is nothing else.
func skipBlank(in *bufio.Reader, line int) (at int, first byte, err error) {
	for {
		c, err := in.ReadByte()
		switch {
		case err != nil:
			return line, 0, err
		case c == '\n':
			line++
		case c != ' ' && c != '\t' && c != '\r':
			return line, c, in.UnreadByte()
		}
	}
}

// skipMark drops the byte order mark that some editors write.
func skipMark(in *bufio.Reader) {
	const mark = "\uFEFF"
	if b, err := in.Peek(1); err != nil || b[0] != mark[0] {
		return
	}
	if b, err := in.Peek(len(mark)); err == nil && string(b) == mark {
		_, _ = in.Discard(len(mark))
	}
}

// afterUnfinished tells an object over several lines from a line that was cut
// off: after the latter comes a line that is an object.
func afterUnfinished(l *lines, first entry) (entries, error) {
	second, err := l.next()
	switch {
	case errors.Is(err, io.EOF):
		l.ahead = []entry{first}
		return l, nil
	case err != nil:
		return nil, err
	case second.err != nil, second.text[0] == '{' && json.Valid(second.text):
		l.ahead = []entry{first, second}
		return l, nil //nolint:nilerr // the entry carries the error
	}
	begun := slices.Concat(first.text, bytes.Repeat([]byte("\n"), second.line-first.line), second.text, []byte("\n"))
	return &values{in: bufio.NewReader(io.MultiReader(bytes.NewReader(begun), l.in)), line: first.line}, nil
}

// unfinished says whether more text could make an object of it.
func unfinished(text []byte) bool {
	var v json.RawMessage
	return text[0] == '{' && errors.Is(json.NewDecoder(bytes.NewReader(text)).Decode(&v), io.ErrUnexpectedEOF)
}
