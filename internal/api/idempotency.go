package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

const (
	// headerKey carries the key that the client has chosen for a request.
	headerKey = "Idempotency-Key"
	// headerReplayed marks the answer to a repeated request.
	headerReplayed = "Idempotency-Replayed"
)

// keyReusedError is an idempotency key that belongs to an order with other content.
type keyReusedError struct{ error }

// idempotencyKey returns the request's key, empty when there is none.
func idempotencyKey(c *fiber.Ctx) (string, error) {
	values := c.Request().Header.PeekAll(headerKey)
	if len(values) == 0 {
		return "", nil
	}
	key, ok := unquoteKey(string(values[0]))
	visible := strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	if len(values) > 1 || !ok || key == "" || len(key) > maxKeyChars || !visible {
		return "", &requestError{[]order.FieldError{{
			Field: headerKey, Code: order.CodeInvalid,
			Message: "must be one value of 1 to 255 visible ASCII characters, plain or as a quoted string (RFC 8941)",
		}}}
	}
	return key, nil
}

// unquoteKey decodes a key that begins with a quotation mark as a string of RFC 8941,
// which draft-ietf-httpapi-idempotency-key-header demands. It returns other keys
// unchanged. ok is false for a malformed string.
func unquoteKey(value string) (key string, ok bool) {
	inside, quoted := strings.CutPrefix(value, `"`)
	if !quoted {
		return value, true
	}
	var unquoted strings.Builder
	for i := 0; i < len(inside); i++ {
		switch inside[i] {
		case '"':
			return unquoted.String(), i == len(inside)-1
		case '\\':
			if i++; i == len(inside) || inside[i] != '"' && inside[i] != '\\' {
				return "", false
			}
		}
		unquoted.WriteByte(inside[i])
	}
	return "", false
}

// keyed gives an order without an id the id that is derived from the caller and its key.
// It reports whether it did.
func keyed(o *order.Order, caller, key string) bool {
	if key == "" || o.ID != "" {
		return false
	}
	o.ID = intake.KeyedID(caller, key)
	return true
}
