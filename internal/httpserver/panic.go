package httpserver

import (
	"fmt"
	"runtime/debug"

	"github.com/gofiber/fiber/v2"
)

// recoverPanic turns a panic of a handler into an error.
func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer Recover(&err)
	return c.Next()
}

// Recover turns a panic into an error with its stack. It must be deferred directly.
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
