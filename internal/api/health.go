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
	Healthy bool `json:"healthy"`
	// QueueLength and Workers are nil while they are not known.
	QueueLength *int64 `json:"queue_length,omitempty"`
	Workers     *int   `json:"workers,omitempty"`
}

// getHealth answers GET /health: 200, or 503 with a reason.
func (s *Server) getHealth(c *fiber.Ctx) error {
	f := s.facts(c)
	if f.Unread != nil && !errors.Is(f.Unread, order.ErrUnavailable) {
		s.cfg.Log.ErrorContext(c.UserContext(), "health is unknown", "error", f.Unread, "request_id", requestID(c))
	}
	v := healthView{Status: "healthy", Timestamp: time.Now().Unix(), Pool: poolView{Healthy: true}, Reason: f.Reason()}
	if f.Unread == nil {
		waiting := f.Waiting()
		v.Pool.QueueLength = &waiting
	}
	if f.FleetKnown() {
		v.Pool.Workers = &f.Slots
	}
	if v.Reason != "" {
		v.Status, v.Pool.Healthy = "unhealthy", false
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(v)
}

// seenLately is for how long facts stand in for those that could not be read.
const seenLately = 30 * time.Second

// seenFacts is a snapshot and when it was read.
type seenFacts struct {
	stats.Snapshot
	at time.Time
}

// facts reads what decides whether orders are taken and worked. While it is not sure
// that Redis is away, the facts that were read last stand for those that could not be.
func (s *Server) facts(c *fiber.Ctx) stats.Facts {
	f := stats.Facts{MaxBacklog: int64(s.cfg.MaxQueueLength)}
	f.Snapshot, f.Unread = s.Stats.Snapshot(c.UserContext())
	f.Unusable = s.cfg.Ready()
	if f.Unread == nil {
		s.seen.Store(&seenFacts{f.Snapshot, time.Now()})
		return f
	}
	unsure := errors.Is(f.Unread, order.ErrUnavailable) && s.cfg.Away != nil && !s.cfg.Away()
	if seen := s.seen.Load(); unsure && seen != nil && time.Since(seen.at) < seenLately {
		f.Snapshot, f.Unread = seen.Snapshot, nil
	}
	return f
}
