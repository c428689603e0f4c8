package intake

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
)

// keyedVersion is the UUID version whose content the application defines (RFC 9562,
// section 5.8).
const keyedVersion = 8

// KeyedID returns the order id that belongs to a caller's idempotency key. Equal
// callers and keys give the same id in every version; different ones, in practice,
// never do. The caller must not contain a zero byte.
func KeyedID(caller, key string) string {
	name := "tag:orderprocessor,2026:idempotency-key:" + caller + "\x00" + key
	return uuid.NewHash(sha256.New(), uuid.NameSpaceURL, []byte(name), keyedVersion).String()
}

// NewID returns a new id. Ids sort by the time at which they were made.
func NewID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an order id: %w", err)
	}
	return id.String(), nil
}
