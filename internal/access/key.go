package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
)

// maxKeyBytes bounds the text of a presented key. Longer texts are not hashed.
const maxKeyBytes = 256

// Key is an API key without its text.
type Key struct {
	// Name identifies the owner in the log. Keys of one name share their idempotency
	// keys and their rate limit.
	Name string
	// Scopes is what the key may be used for.
	Scopes []Scope
	// Hash is the SHA-256 of the key's whole text.
	Hash [sha256.Size]byte
}

// Allows reports whether the key has the scope.
func (k Key) Allows(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Keys are the keys that are accepted. Without any, every request is allowed.
type Keys []Key

// Find returns the key that the values of a request's Authorization header present:
// as a bearer token, or as the password of HTTP Basic. ok is false when there is no
// value, more than one, or no known key.
func (keys Keys) Find(authorization [][]byte) (key Key, ok bool) {
	if len(authorization) != 1 {
		return Key{}, false
	}
	text := presented(string(authorization[0]))
	if text == "" || len(text) > maxKeyBytes {
		return Key{}, false
	}
	// The duration reveals nothing about the keys: the hash of the text is compared with
	// all of them.
	hash := sha256.Sum256([]byte(text))
	found := -1
	for i, key := range keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], key.Hash[:]), i, found)
	}
	if found < 0 {
		return Key{}, false
	}
	return keys[found], true
}

// presented returns the text of the key in an Authorization header.
func presented(value string) string {
	scheme, credentials, _ := strings.Cut(value, " ")
	credentials = strings.Trim(credentials, " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		return credentials
	case "basic":
		return password(credentials)
	default:
		return ""
	}
}

func password(credentials string) string {
	pair, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(string(pair), ":")
	return password
}
