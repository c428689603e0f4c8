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
	key := string(values[0])
	visible := strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	if len(values) > 1 || key == "" || len(key) > maxKeyChars || !visible {
		return "", &requestError{[]order.FieldError{{
			Field: headerKey, Code: order.CodeInvalid, Message: "must be one value of 1 to 255 visible ASCII characters",
		}}}
	}
	return key, nil
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
