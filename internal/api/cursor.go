package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

const (
	cursorTimeBytes = 8
	// cursorSumBytes is the length of the checksum in a cursor. It tells a cursor
	// that was changed, or made for another list, from a right one. It is no
	// secret, as a cursor opens nothing that the list itself does not.
	cursorSumBytes = 8
)

// cursorOf writes a position down for the client: the time in microseconds and
// the id of an order, with a checksum over these and the list they are of. The
// list is named by its filter, spelt out.
func cursorOf(at order.Position, list ...string) string {
	place := binary.BigEndian.AppendUint64(nil, uint64(at.CreatedAt.UnixMicro()))
	place = append(place, at.ID...)
	return base64.RawURLEncoding.EncodeToString(append(place, cursorSum(place, list)...))
}

// parseCursor reads a cursor of the same list; ok is false for any other text.
func parseCursor(text string, list ...string) (at order.Position, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) <= cursorTimeBytes+cursorSumBytes || base64.RawURLEncoding.EncodeToString(raw) != text {
		return order.Position{}, false
	}
	place, sum := raw[:len(raw)-cursorSumBytes], raw[len(raw)-cursorSumBytes:]
	if !bytes.Equal(sum, cursorSum(place, list)) {
		return order.Position{}, false
	}
	us := int64(binary.BigEndian.Uint64(place)) //nolint:gosec // written as the same bits
	return order.Position{CreatedAt: time.UnixMicro(us).UTC(), ID: string(place[cursorTimeBytes:])}, true
}

func cursorSum(place []byte, list []string) []byte {
	sum := sha256.Sum256(append(place[:len(place):len(place)], "\x00"+strings.Join(list, "\x00")...))
	return sum[:cursorSumBytes]
}

// errCursor is what is wrong with a cursor that cannot be read.
const errCursor = "is no cursor of this list; begin without one"
