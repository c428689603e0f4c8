package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Scope is what an API key may be used for. None includes another.
type Scope string

// The scopes that routes ask for.
const (
	// ScopeSubmit is for sending orders and withdrawing them.
	ScopeSubmit Scope = "submit"
	// ScopeRead is for everything that only looks.
	ScopeRead Scope = "read"
	// ScopeAdmin is for retries, queues, and changes in Asynqmon.
	ScopeAdmin Scope = "admin"
	// open needs no key.
	open Scope = "open"
)

// Key is an API key as the API knows it: without the key itself.
type Key struct {
	// Name says whose key it is. It goes into the log, and keys of one name share
	// their idempotency keys and their limit.
	Name string
	// Scopes is what it may be used for.
	Scopes []Scope
	// Hash is the SHA-256 of the key's whole text.
	Hash [sha256.Size]byte
}

const (
	localCaller     = "api_key"
	localScopes     = "scopes"
	challengeBearer = `Bearer realm="orders"` //nolint:gosec // it asks for a key, and is none
	challengeBasic  = `Basic realm="orders", charset="UTF-8"`
)

// errUnauthorized is a request without a key, or with one that is not known.
var errUnauthorized = errors.New("no known API key")

// forbiddenError is a key that lacks a scope.
type forbiddenError struct{ scope Scope }

// Error implements error.
func (e forbiddenError) Error() string { return "the API key lacks the scope " + string(e.scope) }

// access lets a request pass whose key has the scope. Without any keys everything
// is open.
func (s *Server) access(scope Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if scope == open || len(s.cfg.Keys) == 0 {
			return c.Next()
		}
		key, ok := s.keyOf(presented(c))
		if !ok {
			return errUnauthorized
		}
		c.Locals(localCaller, key.Name)
		c.Locals(localScopes, key.Scopes)
		if !slices.Contains(key.Scopes, scope) {
			return forbiddenError{scope}
		}
		return c.Next()
	}
}

// callerOf names who sent a request that has passed access: empty where keys are
// not asked for.
func callerOf(c *fiber.Ctx) string {
	name, _ := c.Locals(localCaller).(string)
	return name
}

// may says whether the key of a request that has passed access has another scope
// as well.
func (s *Server) may(c *fiber.Ctx, scope Scope) bool {
	scopes, _ := c.Locals(localScopes).([]Scope)
	return len(s.cfg.Keys) == 0 || slices.Contains(scopes, scope)
}

// keyOf finds the key with this text. How long that takes tells nothing about the
// keys: the text is hashed, and compared with each of them.
func (s *Server) keyOf(text string) (Key, bool) {
	if text == "" || len(text) > maxAPIKeyBytes {
		return Key{}, false
	}
	hash := sha256.Sum256([]byte(text))
	found := -1
	for i, key := range s.cfg.Keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], key.Hash[:]), i, found)
	}
	if found < 0 {
		return Key{}, false
	}
	return s.cfg.Keys[found], true
}

// presented returns the text of the key that a request carries, empty if there is
// none or more than one.
func presented(c *fiber.Ctx) string {
	values := c.Request().Header.PeekAll(fiber.HeaderAuthorization)
	if len(values) != 1 {
		return ""
	}
	scheme, credentials, _ := strings.Cut(string(values[0]), " ")
	credentials = strings.Trim(credentials, " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		return credentials
	case "basic":
		return passwordOf(credentials)
	default:
		return ""
	}
}

func passwordOf(credentials string) string {
	pair, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(string(pair), ":")
	return password
}
