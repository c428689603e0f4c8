package httpserver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
)

const headerFetchSite = "Sec-Fetch-Site"

// ErrCrossSite is a request that a browser has sent for a page of another site.
var ErrCrossSite = errors.New("the request comes from a page of another site")

// sameSite refuses changes that a page of another site asks for: its browser would send
// the user's password along. Programs other than browsers send neither of the two
// headers, and pass.
func (s *Server) sameSite(c *fiber.Ctx) error { return s.checkSite(c, c.Method()) }

// OwnSite is a handler that refuses pages of other sites even where nothing changes. Such
// a page could not read the stream that it asks for, but could use up the connections.
func (s *Server) OwnSite(c *fiber.Ctx) error { return s.checkSite(c, fiber.MethodPost) }

func (s *Server) checkSite(c *fiber.Ctx, method string) error {
	req := http.Request{Method: method, Host: string(c.Request().Host()), Header: http.Header{}}
	for _, name := range []string{headerFetchSite, fiber.HeaderOrigin} {
		for _, value := range c.Request().Header.PeekAll(name) {
			req.Header.Add(name, string(value))
		}
	}
	if err := s.protection.Check(&req); err != nil {
		return fmt.Errorf("%w: %w", ErrCrossSite, err)
	}
	return c.Next()
}

// ErrForeignHost is a request of a browser for a host that is not surely this machine.
var ErrForeignHost = errors.New("a browser asks for a host that is not this machine")

// knownHost refuses, where only this machine may connect, requests of a browser for a
// host that could be any site's own name: the owner of a name can make it resolve to
// the loopback address, and the browser then treats this server as part of that site.
func (s *Server) knownHost(c *fiber.Ctx) error {
	if s.cfg.LocalOnly && fromBrowser(c) && !access.LocalHost(string(c.Request().Host())) {
		return ErrForeignHost
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
