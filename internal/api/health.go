package api

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// healthView says whether orders are taken and worked.
type healthView struct {
	Status    string   `json:"status"`
	Timestamp int64    `json:"timestamp"`
	Pool      poolView `json:"pool"`
	Reason    string   `json:"reason,omitempty"`
}

type poolView struct {
	Healthy     bool  `json:"healthy"`
	QueueLength int64 `json:"queue_length"`
	Workers     int   `json:"workers"`
}

// getHealth answers GET /health: 200, or 503 with a reason.
func (s *Server) getHealth(c *fiber.Ctx) error {
	snap, err := s.Stats.Snapshot(c.UserContext())
	if err != nil && !errors.Is(err, order.ErrUnavailable) {
		s.cfg.Log.ErrorContext(c.UserContext(), "health is unknown", "error", err, "request_id", requestID(c))
	}
	v := healthView{
		Status: "healthy", Timestamp: time.Now().Unix(),
		Pool:   poolView{Healthy: true, QueueLength: snap.Waiting(), Workers: snap.Slots},
		Reason: s.unhealthy(snap, err),
	}
	if v.Reason != "" {
		v.Status, v.Pool.Healthy = "unhealthy", false
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(v)
}

// unhealthy returns the reason why orders are not taken or not worked, or
// nothing.
func (s *Server) unhealthy(snap stats.Snapshot, err error) string {
	notReady := s.cfg.Ready()
	switch {
	case notReady != nil:
		return notReady.Error()
	case errors.Is(err, order.ErrUnavailable):
		return "Redis is unavailable"
	case err != nil:
		return "the state of the orders could not be read"
	case snap.Slots == 0:
		return "no worker is alive"
	case snap.Backlog() >= int64(s.cfg.MaxQueueLength):
		return "the queues are full"
	default:
		return ""
	}
}
