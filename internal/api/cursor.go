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
	// cursorSumBytes is the length of the checksum in a cursor, which detects a cursor
	// that was changed or belongs to another list. It need not be secret: a cursor gives
	// access to nothing that the list does not.
	cursorSumBytes = 8
)

// cursorOf encodes a position for the client: the time in microseconds and the id of an
// order, with a checksum over both and the list, which is identified by its filter.
func cursorOf(at order.Position, list ...string) string {
	position := binary.BigEndian.AppendUint64(nil, uint64(at.CreatedAt.UnixMicro()))
	position = append(position, at.ID...)
	return base64.RawURLEncoding.EncodeToString(append(position, cursorSum(position, list)...))
}

// parseCursor decodes a cursor of the same list. ok is false for any other text.
func parseCursor(text string, list ...string) (at order.Position, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) <= cursorTimeBytes+cursorSumBytes || base64.RawURLEncoding.EncodeToString(raw) != text {
		return order.Position{}, false
	}
	position, sum := raw[:len(raw)-cursorSumBytes], raw[len(raw)-cursorSumBytes:]
	if !bytes.Equal(sum, cursorSum(position, list)) {
		return order.Position{}, false
	}
	us := int64(binary.BigEndian.Uint64(position)) //nolint:gosec // written as the same bits
	return order.Position{CreatedAt: time.UnixMicro(us).UTC(), ID: string(position[cursorTimeBytes:])}, true
}

func cursorSum(position []byte, list []string) []byte {
	sum := sha256.Sum256(append(position[:len(position):len(position)], "\x00"+strings.Join(list, "\x00")...))
	return sum[:cursorSumBytes]
}

// errCursor is the message for a cursor that cannot be decoded.
const errCursor = "is not a cursor of this list; start without a cursor"
