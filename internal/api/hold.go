package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// anonymous is the actor where no API keys are configured.
const anonymous = "anonymous"

// releaseOrder answers POST /orders/{id}/release.
func (s *Server) releaseOrder(c *fiber.Ctx) error {
	return s.endHold(c, "a release", false, fiber.StatusAccepted, s.Reviews.Release)
}

// rejectOrder answers POST /orders/{id}/reject.
func (s *Server) rejectOrder(c *fiber.Ctx) error {
	return s.endHold(c, "a rejection", true, fiber.StatusOK, s.Reviews.Reject)
}

func (s *Server) endHold(
	c *fiber.Ctx, of string, needsReason bool, status int, end func(context.Context, string, order.Intervention) (order.Record, error),
) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	by := interventionOf(c)
	if by.Reason, err = decodeReason(bodyOf(c), of, needsReason); err != nil {
		return err
	}
	rec, err := end(c.UserContext(), id, by)
	if err != nil {
		return err
	}
	c.Location(orderPath(rec.ID))
	return c.Status(status).JSON(viewRecord(rec))
}

// interventionOf returns who asks for a change, and in which request.
func interventionOf(c *fiber.Ctx) order.Intervention {
	return order.Intervention{Actor: actorOf(c), RequestID: httpserver.RequestID(c)}
}

// actorOf returns who a change is by.
func actorOf(c *fiber.Ctx) string {
	if name := callerOf(c); name != "" {
		return name
	}
	return anonymous
}
