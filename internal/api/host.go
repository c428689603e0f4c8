package api

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// errForeignHost is a page from elsewhere that found its way here by its name.
var errForeignHost = errors.New("a browser asks for a host that is not this machine")

// knownHost refuses, where only this machine may connect, what a browser sends for
// a page whose own name leads here: whoever owns a name can let it point to the
// loopback address, and to the browser everything is of one site then.
func (s *Server) knownHost(c *fiber.Ctx) error {
	if s.cfg.LocalOnly && byBrowser(c) && !LocalHost(string(c.Request().Host())) {
		return errForeignHost
	}
	return c.Next()
}

// byBrowser says whether a browser has sent a request. A page can change some of
// these headers, and take none of them all away.
func byBrowser(c *fiber.Ctx) bool {
	if strings.HasPrefix(c.Get(fiber.HeaderUserAgent), "Mozilla/") {
		return true
	}
	marks := []string{headerFetchSite, fiber.HeaderOrigin, fiber.HeaderReferer, fiber.HeaderAcceptLanguage}
	return slices.ContainsFunc(marks, func(name string) bool { return len(c.Request().Header.PeekAll(name)) > 0 })
}

// LocalHost says whether the host of a request, with or without a port, is an
// address or localhost: nobody can let those point elsewhere.
func LocalHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}
