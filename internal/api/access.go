package api

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
	"orderprocessor/internal/httpserver"
)

// localKey names the API key of a request that has passed needScope.
const localKey = "api_key"

// errUnauthorized is a request without a known API key.
var errUnauthorized = errors.New("no known API key")

// forbiddenError is a request whose key lacks a scope.
type forbiddenError struct{ scope access.Scope }

// Error implements error.
func (e forbiddenError) Error() string { return "the API key lacks the scope " + string(e.scope) }

// needScope admits requests whose key has the scope. Without any configured keys it
// admits every request.
func (s *Server) needScope(scope access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if scope == access.Open || len(s.cfg.Keys) == 0 {
			return c.Next()
		}
		key, ok := s.cfg.Keys.Find(c.Request().Header.PeekAll(fiber.HeaderAuthorization))
		if !ok {
			return errUnauthorized
		}
		c.Locals(localKey, key)
		httpserver.SetCaller(c, key.Name)
		if !key.Allows(scope) {
			return forbiddenError{scope}
		}
		return c.Next()
	}
}

// callerOf returns the name of the key that a request carries, or an empty string
// where no keys are configured.
func callerOf(c *fiber.Ctx) string {
	key, _ := c.Locals(localKey).(access.Key)
	return key.Name
}

// allows reports whether the caller of a request has a further scope.
func (s *Server) allows(c *fiber.Ctx, scope access.Scope) bool {
	key, _ := c.Locals(localKey).(access.Key)
	return len(s.cfg.Keys) == 0 || key.Allows(scope)
}
