package httpserver

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"
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
