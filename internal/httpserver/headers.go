package httpserver

import "github.com/gofiber/fiber/v2"

// dataPolicy is the content security policy of answers that are not pages: they load
// nothing and appear in no frame.
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

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
