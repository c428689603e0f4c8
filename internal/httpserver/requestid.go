package httpserver

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
)

const (
	headerRequestID = "X-Request-Id"
	localRequestID  = "request_id"
)

// identify sets the headers that every answer carries.
func (s *Server) identify(c *fiber.Ctx) error {
	RequestID(c)
	Secure(c)
	return c.Next()
}

// RequestID returns the id of the request: the client's own if it has the form of an
// order id, otherwise a new one. It sets the header of the answer.
func RequestID(c *fiber.Ctx) string {
	id, ok := c.Locals(localRequestID).(string)
	if !ok {
		if id = strings.Clone(c.Get(headerRequestID)); !order.ValidID(id) {
			id = uuid.NewString()
		}
		c.Locals(localRequestID, id)
	}
	c.Set(headerRequestID, id)
	return id
}
