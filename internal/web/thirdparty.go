package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"orderprocessor/internal/order"
)

// This file is all that depends on the texts of Asynqmon and of the specification's
// reader. Neither has a setting for it, so their pages and errors are recognised by their
// text; the tests load both.

// failure returns the error that an answer of Asynqmon reports, or nil. Asynqmon writes
// errors as plain text that may quote Redis, which is not shown to clients. It answers 500
// for queues and tasks that do not exist, as well.
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

// foreignLinks matches the links of a page to style sheets and fonts of other hosts, and
// to its manifest, which browsers request without the user's password.
var foreignLinks = regexp.MustCompile(`(?is)<link\b[^>]*\b(?:href\s*=\s*["']?\s*(?:https?:)?//|rel\s*=\s*["']?manifest\b)[^>]*>`)

func withoutForeignLinks(page []byte) []byte { return foreignLinks.ReplaceAll(page, nil) }

// inlineScripts matches the scripts that are part of a page.
var inlineScripts = regexp.MustCompile(`(?is)<script>(.*?)</script>`)

// scriptHashes returns the sources of a content security policy that allow the scripts of
// the page.
func scriptHashes(page []byte) string {
	var sources strings.Builder
	for _, script := range inlineScripts.FindAllSubmatch(page, -1) {
		hash := sha256.Sum256(script[1])
		sources.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'")
	}
	return sources.String()
}
