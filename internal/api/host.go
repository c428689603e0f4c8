package api

import (
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
)

// errForeignHost is a request by a browser for a name that is not this machine's own.
var errForeignHost = errors.New("a browser asks for a host that is not this machine")

// knownHost refuses, where only this machine may connect, requests of a browser for a
// host that could be any site's own name: the owner of a name can make it resolve to
// the loopback address, and the browser then treats this server as part of that site.
func (s *Server) knownHost(c *fiber.Ctx) error {
	if s.cfg.LocalOnly && fromBrowser(c) && !access.LocalHost(string(c.Request().Host())) {
		return errForeignHost
	}
	return c.Next()
}

// fromBrowser reports whether a browser has sent the request. A page can change some
// of these headers, but cannot remove all of them.
func fromBrowser(c *fiber.Ctx) bool {
	if strings.HasPrefix(c.Get(fiber.HeaderUserAgent), "Mozilla/") {
		return true
	}
	marks := []string{headerFetchSite, fiber.HeaderOrigin, fiber.HeaderReferer, fiber.HeaderAcceptLanguage}
	return slices.ContainsFunc(marks, func(name string) bool { return len(c.Request().Header.PeekAll(name)) > 0 })
}
