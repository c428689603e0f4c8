package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"orderprocessor/internal/order"
)

const (
	headerFetchSite = "Sec-Fetch-Site"
	headerCORP      = "Cross-Origin-Resource-Policy"
	// dataPolicy is for answers that are no pages: they load nothing and stand in
	// no frame.
	dataPolicy = "default-src 'none'; frame-ancestors 'none'"
	// cachePage is for pages and data, cacheAsset for what the pages load, which
	// changes with the program only.
	cachePage  = "no-store"
	cacheAsset = "private, max-age=3600"
)

// secure sets the headers by which a browser keeps an answer from pages of other
// sites.
func secure(c *fiber.Ctx) {
	for _, header := range securityHeaders() {
		c.Response().Header.Del(header[0]) // all of them, if a page has set its own
		c.Set(header[0], header[1])
	}
}

func securityHeaders() [6][2]string {
	return [...][2]string{
		{fiber.HeaderXContentTypeOptions, "nosniff"},
		{fiber.HeaderReferrerPolicy, "no-referrer"},
		{fiber.HeaderXFrameOptions, "DENY"},
		{fiber.HeaderContentSecurityPolicy, dataPolicy},
		{headerCORP, "same-origin"},
		{fiber.HeaderCacheControl, cachePage},
	}
}

// crossSiteError is a request that a page of another site had a browser send.
type crossSiteError struct{ error }

// sameSite refuses to change anything for a page of another site: its browser
// would send the user's password along. Programs that are no browsers send neither
// of the two headers, and pass.
func (s *Server) sameSite(c *fiber.Ctx) error { return s.checkSite(c, c.Method()) }

// ownSite refuses what sameSite refuses, and to be read by a page of another site as
// well: it would get nothing of the answer, and could take all places there are.
func (s *Server) ownSite(c *fiber.Ctx) error { return s.checkSite(c, fiber.MethodPost) }

func (s *Server) checkSite(c *fiber.Ctx, method string) error {
	req := http.Request{Method: method, Host: string(c.Request().Host()), Header: http.Header{}}
	for _, name := range []string{headerFetchSite, fiber.HeaderOrigin} {
		for _, value := range c.Request().Header.PeekAll(name) {
			req.Header.Add(name, string(value))
		}
	}
	if err := s.protection.Check(&req); err != nil {
		return crossSiteError{err}
	}
	return c.Next()
}

// asPages treats the answers of a handler as pages and what they load, but for
// those below the data path.
func asPages(pages fiber.Handler, data string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if _, err := url.PathUnescape(c.Path()); err != nil {
			return fiber.ErrBadRequest
		}
		if err := pages(c); err != nil {
			return err
		}
		failed := failure(c.Response())
		c.Set(headerRequestID, requestID(c)) // the answer may have been begun anew
		if failed != nil {
			return failed
		}
		secure(c)
		isPage := strings.HasPrefix(string(c.Response().Header.ContentType()), fiber.MIMETextHTML)
		isData := data != "" && strings.HasPrefix(c.Path(), data)
		switch {
		case isData:
		case isPage:
			page := onlyHere(c.Response().Body())
			c.Response().SetBody(page)
			c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(page))
		default:
			c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy(nil))
			c.Set(fiber.HeaderCacheControl, cacheAsset)
		}
		return nil
	}
}

// failure makes an error of an answer that is one, as pages write plain text
// instead of problems, and what they show of Redis is none of a client's business.
func failure(r *fasthttp.Response) error {
	code, text := r.StatusCode(), string(r.Body())
	if code < fiber.StatusBadRequest {
		return nil
	}
	r.Reset()
	switch {
	case code < fiber.StatusInternalServerError:
		return fiber.NewError(code)
	case strings.Contains(text, "NOT_FOUND"), strings.Contains(text, "not found"):
		return fiber.ErrNotFound
	default:
		return fmt.Errorf("show a page: %w: %s", order.ErrUnavailable, order.Printable(text))
	}
}

// notHere are the links of a page to style sheets and fonts elsewhere, and to its
// manifest, for which browsers ask without the user's password.
var notHere = regexp.MustCompile(`(?is)<link\b[^>]*\b(?:href\s*=\s*["']?\s*(?:https?:)?//|rel\s*=\s*["']?manifest\b)[^>]*>`)

// onlyHere returns a page without what it would load from other hosts, or in vain.
func onlyHere(page []byte) []byte { return notHere.ReplaceAll(page, nil) }

// inlineScripts are the scripts that stand in a page.
var inlineScripts = regexp.MustCompile(`(?is)<script>(.*?)</script>`)

// pagePolicy lets a page load what this server has, run the scripts that stand in
// it as it is sent, and style itself.
func pagePolicy(page []byte) string {
	var scripts strings.Builder
	for _, script := range inlineScripts.FindAllSubmatch(page, -1) {
		hash := sha256.Sum256(script[1])
		scripts.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'")
	}
	return "default-src 'self'; script-src 'self'" + scripts.String() + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
