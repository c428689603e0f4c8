package intake

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
)

// keyedVersion is the UUID version for ids that the maker defines himself (RFC
// 9562, section 5.8).
const keyedVersion = 8

// KeyedID returns the id of the order that a caller's idempotency key stands for:
// always the same for the same two, and in practice never that of any others. The
// caller must not contain a zero byte.
func KeyedID(caller, key string) string {
	name := "tag:orderprocessor,2026:idempotency-key:" + caller + "\x00" + key
	return uuid.NewHash(sha256.New(), uuid.NameSpaceURL, []byte(name), keyedVersion).String()
}

// newID makes an id that sorts by time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an order id: %w", err)
	}
	return id.String(), nil
}
