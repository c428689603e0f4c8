package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// mediaNDJSON is the media type of one JSON value per line.
const mediaNDJSON = "application/x-ndjson"

// byteOrderMark is what some programs write in front of UTF-8.
//
//nolint:gochecknoglobals // never changed
var byteOrderMark = []byte("\ufeff")

// errCutOff is a body that ended before its end.
var errCutOff = errors.New("the body was cut off")

// readBody returns the body, which may have at most limit bytes. What it returns
// is the caller's to keep. Bodies are streamed: until a handler asks for one, it
// is still with the client. It returns errCutOff with what had arrived.
func readBody(c *fiber.Ctx, limit int) ([]byte, error) {
	stream, length := c.Context().RequestBodyStream(), c.Request().Header.ContentLength()
	if length > limit {
		return nil, tooManyBytes(limit)
	}
	if stream == nil {
		return nil, nil
	}
	var body bytes.Buffer
	// What the client says is to come costs it nothing to say.
	body.Grow(min(max(length, 0), firstBodyBytes) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(stream, int64(limit)+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, fiber.ErrRequestTimeout
	case err != nil, length >= 0 && body.Len() < length, length < 0 && ended(c):
		return body.Bytes(), errCutOff
	case body.Len() > limit:
		return nil, tooManyBytes(limit)
	default:
		return body.Bytes(), nil
	}
}

// ended says whether the server has met the end of the connection. After a body in
// chunks that means that the last chunk is missing, which fasthttp takes for the
// end of the body.
func ended(c *fiber.Ctx) bool {
	conn, ok := c.Context().Conn().(*lingeringConn)
	return ok && conn.ended.Load()
}

func tooManyBytes(limit int) error {
	return fiber.NewError(fiber.StatusRequestEntityTooLarge, fmt.Sprintf("The body must have at most %d bytes.", limit))
}

// readText is readBody for text in UTF-8: it leaves out the byte order mark, and
// refuses the marks of other encodings.
func readText(c *fiber.Ctx, limit int) ([]byte, error) {
	body, err := readBody(c, limit)
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(body, []byte(mark)) {
			return nil, &malformedError{"The body begins with the byte order mark of UTF-16 or UTF-32; it must be UTF-8."}
		}
	}
	return bytes.TrimPrefix(body, byteOrderMark), err
}

// needJSON reads a body that says it is JSON, of an ordinary size.
func needJSON(c *fiber.Ctx) error {
	if _, err := mediaOf(c, fiber.MIMEApplicationJSON); err != nil {
		return err
	}
	body, err := readText(c, maxBodyBytes)
	if err != nil {
		return err
	}
	c.Locals(localBody, body)
	return c.Next()
}

// allowJSON is needJSON for a body that may be left out. An empty one needs no type.
func allowJSON(c *fiber.Ctx) error {
	body, err := readText(c, maxBodyBytes)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		_, err = mediaOf(c, fiber.MIMEApplicationJSON)
	}
	if err != nil {
		return err
	}
	c.Locals(localBody, body)
	return c.Next()
}

// bodyOf returns the body that needJSON has read, empty when there was none.
func bodyOf(c *fiber.Ctx) []byte {
	body, _ := c.Locals(localBody).([]byte)
	return body
}

// wholeBody reads a body for a handler that would read it without a limit.
func wholeBody(c *fiber.Ctx) error {
	body, err := readBody(c, maxBodyBytes)
	if err != nil {
		return err
	}
	c.Request().SetBodyRaw(body)
	return c.Next()
}

// mediaOf returns the media type of the body, which must be one of those, plain
// and in UTF-8.
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

// isUTF8 says whether a charset is one of the names that the Encoding Standard of
// WHATWG has for UTF-8.
func isUTF8(charset string) bool {
	names := []string{"utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"}
	return slices.Contains(names, strings.ToLower(charset))
}
