package web

import (
	"slices"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/hibiken/asynqmon"

	"orderprocessor/internal/order"
)

const (
	// AsynqmonPath is the path of Asynqmon.
	AsynqmonPath = "/monitoring"
	// maxPageTasks bounds the tasks on one page of Asynqmon.
	maxPageTasks = 100
)

// Asynqmon returns a handler for Asynqmon, which reads the queues through the Redis client
// and never closes it. Unless it is writable, it refuses every change.
func Asynqmon(rdb any, writable bool) fiber.Handler {
	pages := asPages(adaptor.HTTPHandler(asynqmon.New(asynqmon.Options{
		RootPath:         AsynqmonPath,
		RedisConnOpt:     sharedClient{rdb},
		ReadOnly:         !writable,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(formatPayload),
	})), AsynqmonPath+"/api/")
	return func(c *fiber.Ctx) error {
		boundPageSize(c)
		if !writable && c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
			c.Set(fiber.HeaderAllow, "GET, HEAD")
			return fiber.ErrMethodNotAllowed
		}
		return pages(c)
	}
}

// AsynqmonMethods returns all methods except HEAD, which is served with GET. Asynqmon
// decides which of them it supports.
func AsynqmonMethods() []string {
	return slices.DeleteFunc(slices.Clone(fiber.DefaultMethods), func(m string) bool { return m == fiber.MethodHead })
}

// boundPageSize replaces a page size above maxPageTasks: Asynq reads a page in one script,
// during which Redis serves nobody else.
func boundPageSize(c *fiber.Ctx) {
	query := c.Request().URI().QueryArgs()
	if size, err := query.GetUint("size"); !query.Has("size") || (err == nil && size <= maxPageTasks) {
		return
	}
	query.SetUint("size", maxPageTasks)
	// Asynqmon reads the target of the request, not the parsed query.
	c.Request().Header.SetRequestURI(c.Path() + "?" + string(query.QueryString()))
}

// sharedClient gives Asynqmon the client of this process.
type sharedClient struct{ rdb any }

// MakeRedisClient implements asynq.RedisConnOpt.
func (s sharedClient) MakeRedisClient() any { return s.rdb }

// formatPayload shows a payload as text.
func formatPayload(_ string, payload []byte) string {
	if !utf8.Valid(payload) {
		return "(not text)"
	}
	return order.Printable(string(payload))
}
