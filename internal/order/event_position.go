package order

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	// positionVersion is the first byte of the text of a position in several books. It
	// makes the text begin with a letter, as no event id does.
	positionVersion = 1
	// maxPositionText bounds the text of a position in characters: that of MaxBooks books
	// with the longest numbers has 1,723.
	maxPositionText = 2048
)

// EventPosition is how far a subscriber has come among the events of each book: the id of
// the last event before it, by book. Ids are comparable within one book only.
type EventPosition []EventID

// UnknownEventID stands for the position in a book that could not be read. It comes after
// every event, so whoever continues after it meets a gap.
func UnknownEventID() EventID { return EventID{Time: math.MaxUint64, Number: math.MaxUint64} }

// ParseEventPosition reads a position as String writes it. Any other form is an error. The
// caller checks the number of books.
func ParseEventPosition(text string) (EventPosition, error) {
	if id, err := ParseEventID(text); err == nil {
		return EventPosition{id}, nil
	}
	if len(text) <= maxPositionText && !strings.ContainsAny(text, "\r\n") {
		data, err := base64.RawURLEncoding.DecodeString(text)
		if p, ok := decodePosition(data); err == nil && ok && p.String() == text {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%q is not a position among events", Printable(text))
}

// decodePosition reads what encode writes, and more.
func decodePosition(data []byte) (EventPosition, bool) {
	if len(data) < 2 || data[0] != positionVersion || data[1] < 2 || data[1] > MaxBooks {
		return nil, false
	}
	p := make(EventPosition, data[1])
	var valid bool
	next := func() uint64 {
		n, size := binary.Uvarint(data)
		valid = valid && size > 0
		data = data[max(0, size):]
		return n
	}
	data, valid = data[2:], true
	newest := next()
	for i := range p {
		behind := next()
		if behind == 0 {
			p[i] = UnknownEventID()
			continue
		}
		p[i] = EventID{Time: newest - (behind - 1), Number: next()}
	}
	return p, valid && len(data) == 0
}

// String returns an opaque text: with one book the id of the event, with more base64url.
// It has about six characters for each book, rarely more than eight.
func (p EventPosition) String() string { return string(p.Append(nil)) }

// Append appends the text to b.
func (p EventPosition) Append(b []byte) []byte {
	if len(p) == 1 {
		return p[0].Append(b)
	}
	var room [8 * MaxBooks]byte
	return base64.RawURLEncoding.AppendEncode(b, p.encode(room[:0]))
}

// encode appends the number of books, the newest time, and how far each book is behind
// that, counted from one; zero is a position that is not known.
func (p EventPosition) encode(b []byte) []byte {
	unknown, newest := UnknownEventID(), uint64(0)
	for _, id := range p {
		if id != unknown {
			newest = max(newest, id.Time)
		}
	}
	b = binary.AppendUvarint(append(b, positionVersion, byte(len(p))), newest) //nolint:gosec // at most MaxBooks
	for _, id := range p {
		if id == unknown {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, newest-id.Time+1), id.Number)
	}
	return b
}

// Equal reports whether two positions are the same.
func (p EventPosition) Equal(other EventPosition) bool { return slices.Equal(p, other) }
