package ctl

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads one order a line, as NDJSON has them. Blank lines are skipped.
type lines struct {
	in    *bufio.Reader
	line  int     // the last one that was read
	ahead []entry // read already, to be returned first
}

func (l *lines) next() (entry, error) {
	if len(l.ahead) > 0 {
		e := l.ahead[0]
		l.ahead = l.ahead[1:]
		return e, nil
	}
	for {
		e, err := l.read()
		if err != nil || len(e.text) > 0 || e.err != nil {
			return e, err
		}
	}
}

// read returns the next line, trimmed. Of a line that is too long it keeps
// nothing but the fact.
func (l *lines) read() (entry, error) {
	l.line++
	e := entry{line: l.line}
	for {
		part, err := l.in.ReadSlice('\n')
		e.size += len(part)
		if e.err == nil {
			e.text = append(e.text, part...)
		}
		if len(bytes.TrimSpace(e.text)) > maxOrderBytes {
			e.text, e.err = nil, errTooLong
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil, errors.Is(err, io.EOF) && e.size > 0:
			e.text = bytes.TrimSpace(e.text)
			return e, nil
		default:
			return entry{}, err
		}
	}
}
