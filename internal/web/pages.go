// Package web serves the pages: the live page, Asynqmon, and the reader of the API's
// specification.
//
// It receives requests that the API has admitted and answers with files that are compiled
// into the program, or with what Asynqmon reads from Redis. Every page may load only what
// this server has. The package owns no state.
package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
)

// cacheAsset is the Cache-Control of the files that pages load. They change only with
// the program.
const cacheAsset = "private, max-age=3600"

// asPages gives the answers of a handler the headers of pages and of the files that pages
// load. Answers below the data path, if there is one, keep the headers of data. Errors of
// the handler become problems.
func asPages(pages fiber.Handler, data string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if _, err := url.PathUnescape(c.Path()); err != nil {
			return fiber.ErrBadRequest
		}
		if err := pages(c); err != nil {
			return err
		}
		failed := failure(c.Response())
		httpserver.RequestID(c) // sets its header again, which an error has removed
		if failed != nil {
			return failed
		}
		httpserver.Secure(c)
		isPage := strings.HasPrefix(string(c.Response().Header.ContentType()), fiber.MIMETextHTML)
		isData := data != "" && strings.HasPrefix(c.Path(), data)
		switch {
		case isData:
		case isPage:
			page := withoutForeignLinks(c.Response().Body())
			c.Response().SetBody(page)
			c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(page))
		default:
			c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(nil))
			c.Set(fiber.HeaderCacheControl, cacheAsset)
		}
		return nil
	}
}

// pagePolicy returns the content security policy of a page: it may load what this server
// has, run the scripts that are part of the page, and style itself.
func pagePolicy(page []byte) string {
	return "default-src 'self'; script-src 'self'" + scriptHashes(page) + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
