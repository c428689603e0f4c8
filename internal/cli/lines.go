package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// lines reads orders that are not in an array: one a line, as NDJSON has them, several
// on a line one after the other, or one over several lines. Blank lines are skipped.
type lines struct {
	in    *bufio.Reader
	line  int     // the last one that was read
	ahead []entry // lines that were read already, to be looked at first
	ready []entry // orders that were split off, to be returned first
}

func (l *lines) next() (entry, error) {
	if len(l.ready) > 0 {
		return pop(&l.ready), nil
	}
	e, err := l.nextLine()
	if err != nil || e.err != nil || e.text[0] != '{' || json.Valid(e.text) {
		return e, err
	}
	whole, rest, inside := split(e.text)
	if inside == nil {
		return l.apart(e, whole, rest, nil), nil
	}
	return l.join(e, whole, rest, inside)
}

func pop(queue *[]entry) entry {
	e := (*queue)[0]
	*queue = (*queue)[1:]
	return e
}

// split returns the objects with which a line begins, what is left of it, and, if that is
// the beginning of an object, where in it the line ends. Where anything else than objects
// is there, all of the line is left, as it is one mistake.
func split(text []byte) (whole [][]byte, rest []byte, inside *span) {
	for rest = text; len(rest) > 0; {
		if rest[0] != '{' {
			return nil, text, nil
		}
		s := &span{}
		object, behind, ended := cutAt(rest, s)
		if !ended {
			return whole, rest, s
		}
		whole, rest = append(whole, object), behind
	}
	return whole, nil, nil
}

// parts makes an entry of each object of a line, and one of what is left.
func parts(e entry, whole [][]byte, rest []byte) []entry {
	if rest != nil {
		whole = append(whole, rest)
	}
	all := make([]entry, len(whole))
	for i, text := range whole {
		all[i] = entry{line: e.line, text: text}
	}
	all[0].size = e.size
	return all
}

// join reads on until the object that a line begins has ended. It tells that from a line
// that was cut off, behind which lines are objects by themselves or nothing ends it:
// such lines are left apart. The objects of the line before that one are returned first.
func (l *lines) join(first entry, whole [][]byte, begun []byte, inside *span) (entry, error) {
	o := entry{line: first.line, size: first.size, text: slices.Clone(begun)}
	var behind []entry
	objects := false
	for last := first.line; len(o.text) <= maxOrderBytes; {
		e, err := l.nextLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return entry{}, err
		}
		if err == nil {
			behind = append(behind, e)
		}
		if err != nil || e.err != nil {
			return l.apart(first, whole, begun, behind), nil //nolint:nilerr // the end comes again
		}
		objects = objects || isObject(e.text)
		text, rest, ended := cutAt(e.text, inside)
		o.size += e.size
		o.text = append(append(o.text, bytes.Repeat([]byte("\n"), min(e.line-last, maxOrderBytes))...), text...)
		last = e.line
		switch {
		case ended && objects && !json.Valid(o.text):
			return l.apart(first, whole, begun, behind), nil
		case ended:
			return l.joined(o, whole, entry{line: e.line, text: rest}), nil
		}
	}
	if objects {
		return l.apart(first, whole, begun, behind), nil
	}
	return l.skip(o, whole, inside)
}

// apart returns the first of the entries of a line that was cut off, with the lines
// behind it still to be looked at.
func (l *lines) apart(first entry, whole [][]byte, begun []byte, behind []entry) entry {
	l.ahead = slices.Concat(behind, l.ahead)
	l.ready = parts(first, whole, begun)
	return pop(&l.ready)
}

// joined returns the first of the objects of a line and the one that it began. What is
// left behind that is looked at next, or spoils it.
func (l *lines) joined(o entry, whole [][]byte, left entry) entry {
	switch {
	case len(left.text) == 0:
	case left.text[0] == '{':
		l.ahead = slices.Insert(l.ahead, 0, left)
	default:
		o.text = slices.Concat(o.text, left.text)
	}
	l.ready = []entry{o}
	if len(whole) > 0 {
		l.ready = append(parts(entry{line: o.line}, whole, nil), o)
	}
	return pop(&l.ready)
}

// skip reads on to the end of an object that is too long, and keeps nothing of it.
func (l *lines) skip(o entry, whole [][]byte, inside *span) (entry, error) {
	o.text, o.err = nil, errTooLong
	for {
		e, err := l.nextLine()
		switch {
		case errors.Is(err, io.EOF):
			return l.joined(o, whole, entry{}), nil
		case err != nil:
			return entry{}, err
		case isObject(e.text):
			return l.joined(o, whole, e), nil
		}
		o.size += e.size
		if _, rest, ended := cutAt(e.text, inside); ended {
			return l.joined(o, whole, entry{line: e.line, text: rest}), nil
		}
	}
}

// cutAt returns the text up to the end of the object that it is inside of, and what is
// left behind that.
func cutAt(text []byte, inside *span) (upTo, rest []byte, ended bool) {
	end := slices.IndexFunc(text, inside.step)
	if end < 0 {
		return text, nil, false
	}
	return text[:end+1], bytes.TrimSpace(text[end+1:]), true
}

func isObject(text []byte) bool { return len(text) > 0 && text[0] == '{' && json.Valid(text) }

// nextLine returns the next line that is not blank, trimmed.
func (l *lines) nextLine() (entry, error) {
	if len(l.ahead) > 0 {
		return pop(&l.ahead), nil
	}
	for {
		e, err := l.read()
		if err != nil || len(e.text) > 0 || e.err != nil {
			return e, err
		}
	}
}

// read returns the next line, trimmed. Of a line that is too long it keeps nothing but
// the fact.
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
