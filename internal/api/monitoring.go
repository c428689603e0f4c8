package api

import (
	"slices"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/hibiken/asynqmon"

	"orderprocessor/internal/order"
)

// monitoringPath is where Asynqmon lives.
const monitoringPath = "/monitoring"

// monitoring serves Asynqmon, and refuses every change unless it is writable.
func monitoring(rdb any, writable bool) fiber.Handler {
	pages := asPages(adaptor.HTTPHandler(asynqmon.New(asynqmon.Options{
		RootPath:         monitoringPath,
		RedisConnOpt:     sharedClient{rdb},
		ReadOnly:         !writable,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(formatPayload),
	})), monitoringPath+"/api/")
	return func(c *fiber.Ctx) error {
		boundPage(c)
		if writable {
			return pages(c)
		}
		if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
			c.Set(fiber.HeaderAllow, "GET, HEAD")
			return fiber.ErrMethodNotAllowed
		}
		return pages(c)
	}
}

// boundPage asks for no more tasks at once than maxMonitored: Asynq reads as many as
// it is asked for in one step of Redis, and all others wait.
func boundPage(c *fiber.Ctx) {
	query := c.Request().URI().QueryArgs()
	if size, err := query.GetUint("size"); !query.Has("size") || (err == nil && size <= maxMonitored) {
		return
	}
	query.SetUint("size", maxMonitored)
	// Asynqmon reads the target as it came.
	c.Request().Header.SetRequestURI(c.Path() + "?" + string(query.QueryString()))
}

// monitoringMethods are all methods but HEAD, which goes with GET: Asynqmon
// decides what it takes.
func monitoringMethods() []string {
	return slices.DeleteFunc(slices.Clone(fiber.DefaultMethods), func(m string) bool { return m == fiber.MethodHead })
}

// sharedClient makes Asynqmon use the client of this process. Asynqmon would
// close it, so it must never be closed itself.
type sharedClient struct{ rdb any }

// MakeRedisClient implements asynq.RedisConnOpt.
func (s sharedClient) MakeRedisClient() any { return s.rdb }

// formatPayload shows a payload as the JSON text it is.
func formatPayload(_ string, payload []byte) string {
	if !utf8.Valid(payload) {
		return "(not text)"
	}
	return order.Printable(string(payload))
}
