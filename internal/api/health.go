package api

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// healthView is the JSON of the health: whether orders are accepted and processed.
type healthView struct {
	Status    string   `json:"status"`
	Timestamp int64    `json:"timestamp"`
	Pool      poolView `json:"pool"`
	Reason    string   `json:"reason,omitempty"`
	// Detail is what is wrong, since when, and what to do, for people. It names no host
	// and quotes no error, as anybody may read it.
	Detail  string      `json:"detail"`
	Verdict verdictView `json:"verdict"`
}

// verdictView is Detail in parts.
type verdictView struct {
	Level  stats.Level      `json:"level"`
	Cause  stats.Cause      `json:"cause,omitempty"`
	What   string           `json:"what"`
	Since  *order.Timestamp `json:"since,omitempty"`
	Advice string           `json:"advice"`
	Also   []string         `json:"also,omitempty"`
}

func viewVerdict(v stats.Verdict) verdictView {
	view := verdictView{Level: v.Level, Cause: v.Cause, What: v.What, Advice: v.Advice, Also: v.Also}
	if !v.Since.IsZero() {
		view.Since = &order.Timestamp{Time: v.Since}
	}
	return view
}

type poolView struct {
	Healthy bool `json:"healthy"`
	// QueueLength and Workers are nil while they are unknown.
	QueueLength *int64 `json:"queue_length,omitempty"`
	Workers     *int   `json:"workers,omitempty"`
}

// getHealth answers GET /health: 200, or 503 with a reason.
func (s *Server) getHealth(c *fiber.Ctx) error {
	f := s.facts(c)
	if f.Unread != nil && !errors.Is(f.Unread, order.ErrUnavailable) {
		s.cfg.Log.ErrorContext(c.UserContext(), "health is unknown", "error", f.Unread, "request_id", httpserver.RequestID(c))
	}
	verdict := s.Stats.Verdict(f)
	v := healthView{
		Status: "healthy", Timestamp: time.Now().Unix(), Pool: poolView{Healthy: true}, Reason: f.Reason(),
		Detail: verdict.Detail(), Verdict: viewVerdict(verdict),
	}
	if f.Unread == nil {
		waiting := f.Waiting()
		v.Pool.QueueLength = &waiting
	}
	if f.WorkersKnown() {
		v.Pool.Workers = &f.Slots
	}
	if v.Reason != "" {
		v.Status, v.Pool.Healthy = "unhealthy", false
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(v)
}

// seenFacts is a snapshot and when it was read.
type seenFacts struct {
	stats.Snapshot
	at time.Time
}

// facts reads what decides whether orders are accepted and processed. Unless Redis is
// known to be unavailable, a recent snapshot is used when none can be read.
func (s *Server) facts(c *fiber.Ctx) stats.Facts {
	f := stats.Facts{MaxBacklog: int64(s.cfg.MaxQueueLength)}
	f.Snapshot, f.Unread = s.Stats.Snapshot(c.UserContext())
	f.Unusable = s.cfg.Ready()
	if f.Unread == nil {
		s.seen.Store(&seenFacts{f.Snapshot, time.Now()})
		return f
	}
	slow := errors.Is(f.Unread, order.ErrUnavailable) && s.cfg.Away != nil && !s.cfg.Away()
	if seen := s.seen.Load(); slow && seen != nil && time.Since(seen.at) < seenLately {
		f.Snapshot, f.Unread = seen.Snapshot, nil
	}
	return f
}
