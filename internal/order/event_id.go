package order

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// EventID orders the events of all orders of a book, in the form of the ids of a Redis
// stream: milliseconds by the clock of Redis, and a number among the events of that
// millisecond. The zero value comes before every event.
type EventID struct{ Time, Number uint64 }

// ParseEventID reads an id as String writes it. Any other form is an error.
func ParseEventID(text string) (EventID, error) {
	before, after, _ := strings.Cut(text, "-")
	var id EventID
	var err error
	if id.Time, err = strconv.ParseUint(before, 10, 64); err == nil {
		id.Number, err = strconv.ParseUint(after, 10, 64)
	}
	if err != nil || id.String() != text {
		return EventID{}, fmt.Errorf("%q is not an event id", Printable(text))
	}
	return id, nil
}

// String writes the id as Redis does.
func (id EventID) String() string { return string(id.Append(nil)) }

// Append appends what String returns to b.
func (id EventID) Append(b []byte) []byte {
	b = append(strconv.AppendUint(b, id.Time, 10), '-')
	return strconv.AppendUint(b, id.Number, 10)
}

// Compare returns -1 if the event was before the other, 1 if it was after it, and 0 if
// it is the same.
func (id EventID) Compare(other EventID) int {
	return cmp.Or(cmp.Compare(id.Time, other.Time), cmp.Compare(id.Number, other.Number))
}
