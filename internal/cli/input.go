package cli

import (
	"bufio"
	"fmt"
	"io"
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

// newEntries finds out how orders are written in the file: as an array, or as objects
// one after the other, on lines of their own or not. A file that is no JSON is an error.
// It reads no further than it must, as the file may be a pipe that somebody is writing
// to.
func newEntries(file io.Reader) (entries, error) {
	in := bufio.NewReader(file)
	skipMark(in)
	line, first, err := skipBlank(in, 1)
	if err == nil {
		err = checkForm(in)
	}
	if err != nil {
		return nil, err
	}
	if first == '[' {
		_, _ = in.Discard(1)
		return &values{in: in, line: line, open: true}, nil
	}
	return &lines{in: in, line: line - 1}, nil
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
