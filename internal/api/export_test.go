package api

import (
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"orderprocessor/internal/access"
	"orderprocessor/internal/order"
)

// The limits that the tests use.
const (
	MaxCorruptListed = maxCorruptListed
	MaxBatchBytes    = maxBatchBytes
	MaxBatchOrders   = maxBatchOrders
	MaxBatches       = maxBatches

	HeartbeatInterval = heartbeatInterval
)

// DecodeOrder is decodeOrder, for the fuzz test.
func DecodeOrder(body []byte) (order.Order, error) { return decodeOrder(body, time.Now()) }

// Malformed reports whether the error is that of a body which is not a JSON object.
func Malformed(err error) bool {
	var malformed *malformedError
	return errors.As(err, &malformed)
}

// SetRequestTimeout makes a server that does not serve yet more patient with Redis.
func (s *Server) SetRequestTimeout(d time.Duration) { s.requestTimeout = d }

// Scoped is a key with the hash of a text.
func Scoped(name, text string, scopes ...access.Scope) access.Key {
	return access.Key{Name: name, Scopes: scopes, Hash: sha256.Sum256([]byte(text))}
}

// Middleware lists the paths that have a handler before their routes.
func (s *Server) Middleware() []string {
	var all []string
	routes := s.http.App().GetRoutes(true)
	for _, r := range s.http.App().GetRoutes(false) {
		isRoute := slices.ContainsFunc(routes, func(known fiber.Route) bool {
			return known.Method == r.Method && known.Path == r.Path
		})
		if !isRoute {
			all = append(all, r.Path)
		}
	}
	return all
}

// CursorOf and ParseCursor are cursorOf and parseCursor, for the fuzz test.
func CursorOf(at order.Position, list ...string) string { return cursorOf(at, list...) }

// ParseCursor reads a cursor.
func ParseCursor(text string, list ...string) (order.Position, bool) {
	return parseCursor(text, list...)
}

// IdempotencyKey returns the key of a request with these in its header.
func IdempotencyKey(values ...string) (string, error) {
	app := fiber.New()
	c := app.AcquireCtx(&fasthttp.RequestCtx{})
	defer app.ReleaseCtx(c)
	for _, v := range values {
		c.Request().Header.Add(headerKey, v)
	}
	return idempotencyKey(c)
}

// SplitBatch returns the texts of the orders in a body of lines, or of an array.
func SplitBatch(body []byte, array, cutOff bool) (texts [][]byte, numbers []int, err error) {
	lines, err := splitLines(body, cutOff)
	if array {
		lines, err = splitArray(body)
	}
	for _, l := range lines {
		texts, numbers = append(texts, l.text), append(numbers, l.number)
	}
	return texts, numbers, err
}

// Routes lists the method and the path of each route, spelt as in the
// specification.
func (s *Server) Routes() []string {
	parameter := regexp.MustCompile(`:(\w+)`)
	var all []string
	for _, r := range s.http.App().GetRoutes(true) {
		all = append(all, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	return all
}
