package api

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

const (
	// mediaNDJSON is the media type of one JSON value per line.
	mediaNDJSON = "application/x-ndjson"
	localBody   = "body"
)

// byteOrderMark is what some programs write before text in UTF-8.
//
//nolint:gochecknoglobals // never changed
var byteOrderMark = []byte("\ufeff")

// needJSON reads a body of ordinary size, whose media type must be JSON.
func needJSON(c *fiber.Ctx) error {
	if _, err := mediaOf(c, fiber.MIMEApplicationJSON); err != nil {
		return err
	}
	return allowJSON(c)
}

// allowJSON reads a body that may be missing. An empty body needs no media type.
func allowJSON(c *fiber.Ctx) error {
	body, err := readText(c, httpserver.MaxBodyBytes)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		if _, err := mediaOf(c, fiber.MIMEApplicationJSON); err != nil {
			return err
		}
	}
	c.Locals(localBody, body)
	return c.Next()
}

// bodyOf returns the body that needJSON or allowJSON has read.
func bodyOf(c *fiber.Ctx) []byte {
	body, _ := c.Locals(localBody).([]byte)
	return body
}

// readText reads a body in UTF-8. It removes the byte order mark, and refuses those of
// other encodings. It returns httpserver.ErrCutOff together with what had arrived.
func readText(c *fiber.Ctx, limit int) ([]byte, error) {
	body, err := httpserver.ReadBody(c, limit)
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(body, []byte(mark)) {
			return nil, &malformedError{"The body begins with the byte order mark of UTF-16 or UTF-32; it must be UTF-8."}
		}
	}
	return bytes.TrimPrefix(body, byteOrderMark), err
}

// mediaOf returns the media type of the body, which must be an allowed one,
// uncompressed and in UTF-8.
func mediaOf(c *fiber.Ctx, allowed ...string) (string, error) {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", fiber.NewError(fiber.StatusUnsupportedMediaType, "The body must not be compressed.")
	}
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || !slices.Contains(allowed, media) {
		return "", fiber.NewError(fiber.StatusUnsupportedMediaType,
			"The Content-Type must be "+strings.Join(allowed, " or ")+".")
	}
	if charset := strings.TrimSpace(params["charset"]); charset != "" && !isUTF8(charset) {
		return "", fiber.NewError(fiber.StatusUnsupportedMediaType,
			fmt.Sprintf("The charset must be utf-8, not %+q.", order.Printable(charset)))
	}
	return media, nil
}

// isUTF8 reports whether the Encoding Standard of WHATWG has this name for UTF-8.
func isUTF8(charset string) bool {
	names := []string{"utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"}
	return slices.Contains(names, strings.ToLower(charset))
}
