package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

const (
	// headerKey carries the client's own name for a request.
	headerKey = "Idempotency-Key"
	// headerReplayed marks an answer that was given before.
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
			Message: "must be one value of 1 to 255 visible ASCII characters, as it is or as a quoted string (RFC 8941)",
		}}}
	}
	return key, nil
}

// unquoteKey reads a key that begins with a quotation mark as the string of RFC 8941
// that draft-ietf-httpapi-idempotency-key-header wants, and returns any other as it
// is; ok is false for a string that is malformed.
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

// keyed gives an order without an id the one that the key stands for to this
// caller, and says whether it did.
func keyed(o *order.Order, caller, key string) bool {
	if key == "" || o.ID != "" {
		return false
	}
	o.ID = intake.KeyedID(caller, key)
	return true
}
