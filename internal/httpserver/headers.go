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
	// dataPolicy is the content security policy of answers that are not pages: they load
	// nothing and appear in no frame.
	dataPolicy = "default-src 'none'; frame-ancestors 'none'"
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

// Secure sets the headers with which a browser protects an answer from the pages of
// other sites. It replaces headers of the same names.
func Secure(c *fiber.Ctx) {
	for _, header := range [...][2]string{
		{fiber.HeaderXContentTypeOptions, "nosniff"},
		{fiber.HeaderReferrerPolicy, "no-referrer"},
		{fiber.HeaderXFrameOptions, "DENY"},
		{fiber.HeaderContentSecurityPolicy, dataPolicy},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{fiber.HeaderCacheControl, "no-store"},
	} {
		c.Response().Header.Del(header[0])
		c.Set(header[0], header[1])
	}
}
