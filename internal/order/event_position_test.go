package order_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

// TestEventPosition reads each position as it was written. With one book its text is the
// event's id.
func TestEventPosition(t *testing.T) {
	t.Parallel()
	id := rapid.Custom(func(t *rapid.T) order.EventID {
		last := uint64(math.MaxInt64)
		return rapid.OneOf(rapid.Just(order.UnknownEventID()), rapid.Just(order.EventID{}), rapid.Custom(func(t *rapid.T) order.EventID {
			return order.EventID{Time: rapid.Uint64Max(last).Draw(t, "time"), Number: rapid.Uint64().Draw(t, "number")}
		})).Draw(t, "id")
	})
	rapid.Check(t, func(t *rapid.T) {
		p := order.EventPosition(rapid.SliceOfN(id, 1, order.MaxBooks).Draw(t, "position"))
		text := p.String()
		if q, err := order.ParseEventPosition(text); err != nil || !q.Equal(p) {
			t.Fatalf("%v is read as %v: %v", p, q, err)
		}
		if len(p) == 1 && text != p[0].String() {
			t.Fatalf("with one book it is %s", text)
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("a URL cannot have %s", text)
		}
	})
}

// TestEventPositionIsShort holds the size of a usual text: books with events within a
// quarter of an hour of each other, some in the same millisecond.
func TestEventPositionIsShort(t *testing.T) {
	t.Parallel()
	p := make(order.EventPosition, order.MaxBooks)
	for n := range p {
		p[n] = order.EventID{Time: 1764000000000 - uint64(n)*14_000, Number: uint64(n % 100)}
	}
	if n := len(p.String()); n > 6*order.MaxBooks {
		t.Errorf("it has %d characters", n)
	}
}

func TestEventPositionIsRefused(t *testing.T) {
	t.Parallel()
	text := order.EventPosition{{Time: 1764000000000}, {Time: 1764000000999, Number: 3}, order.UnknownEventID()}.String()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	coded := func(data ...byte) string { return base64.RawURLEncoding.EncodeToString(data) }
	for name, wrong := range map[string]string{
		"empty": "", "no position": "yesterday", "id of an event of several books": "1764000000000-0.3",
		"cut": text[:len(text)-4], "longer": text + "AAAA", "padded": text + "=", "with a line break": text[:4] + "\n" + text[4:],
		"another version": coded(append([]byte{2}, data[1:]...)...), "one book": coded(1, 1, 5, 1, 0), "no book": coded(1, 0, 0),
		"too many books":          coded(append([]byte{1, order.MaxBooks + 1, 0}, make([]byte, order.MaxBooks+1)...)...),
		"a time that no book has": coded(1, 2, 5, 2, 0, 2, 0), "a long number": coded(1, 2, 0x85, 0, 1, 0, 1, 0),
		"before all times": coded(1, 2, 5, 1, 0, 9, 0), "long": strings.Repeat("A", 1<<20),
	} {
		if p, err := order.ParseEventPosition(wrong); err == nil {
			t.Errorf("%s: %.80q is read as %v", name, wrong, []order.EventID(p))
		}
	}
}
