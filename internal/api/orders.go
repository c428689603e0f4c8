package api

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// submit answers POST /orders.
func (s *Server) submit(c *fiber.Ctx) error {
	httpserver.SetRoutine(c)
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	o, err := decodeOrder(bodyOf(c), s.cfg.Terms, time.Now())
	if err != nil {
		return err
	}
	byKey := keyed(&o, callerOf(c), key)
	rec, isNew, err := s.Intake.Submit(c.UserContext(), o)
	if byKey && errors.Is(err, order.ErrConflict) {
		return keyReusedError{err}
	}
	if err != nil {
		return err
	}
	c.Location(orderPath(rec.ID))
	now, waited := s.awaitOutcome(c, rec)
	switch {
	case isNew:
		c.Status(fiber.StatusCreated)
	case byKey && !waited:
		now = rec.Accepted()
		fallthrough
	default:
		c.Set(headerReplayed, "true")
	}
	return c.JSON(viewRecord(now))
}

// getOrder answers GET /orders/{id}.
func (s *Server) getOrder(c *fiber.Ctx) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	o, err := s.find(c.UserContext(), id)
	if err != nil {
		return err
	}
	v := viewFound(o)
	if v.TraceID != "" && s.cfg.TraceURL != nil {
		v.TraceURL = s.cfg.TraceURL(v.TraceID)
	}
	return c.JSON(v)
}

// orderPath returns the path of an order. That of the order "export" is not the path of
// the export.
func orderPath(id string) string {
	if id == "export" {
		return "/orders/%65xport"
	}
	return "/orders/" + url.PathEscape(id)
}

// orderID returns the order's id from the path. It returns order.ErrNotFound for a text
// that is not a valid id.
func orderID(c *fiber.Ctx) (string, error) {
	id, ok := pathValue(c, "id")
	if !ok || !order.ValidID(id) {
		return "", order.ErrNotFound
	}
	return id, nil
}

// recordView is the JSON of an order.
type recordView struct {
	order.View
	Status           order.Status    `json:"status"`
	Queue            order.Queue     `json:"queue"`
	Handling         order.Handling  `json:"handling,omitempty"`
	CreatedAt        order.Timestamp `json:"created_at"`
	NextAttemptAt    order.Timestamp `json:"next_attempt_at,omitzero"`
	ProcessedAt      order.Timestamp `json:"processed_at,omitzero"`
	ProcessingTimeMS *int64          `json:"processing_time_ms,omitempty"`
	WorkerID         string          `json:"worker_id,omitempty"`
	Success          *bool           `json:"success,omitempty"`
	Result           string          `json:"result,omitempty"`
	Error            string          `json:"error,omitempty"`
	CancelReason     string          `json:"cancel_reason,omitempty"`
	Hold             *holdView       `json:"hold,omitempty"`
	Tags             []string        `json:"tags,omitempty"`
	Attempts         []attemptView   `json:"attempts"`
	TraceID          string          `json:"trace_id,omitempty"`
	TraceURL         string          `json:"trace_url,omitempty"`
	Archived         bool            `json:"archived,omitempty"`
}

// holdView is the JSON of why an order is held, since when, and until when.
type holdView struct {
	Rule      string          `json:"rule,omitempty"`
	Reason    string          `json:"reason"`
	Since     order.Timestamp `json:"since"`
	ExpiresAt order.Timestamp `json:"expires_at,omitzero"`
	OnExpiry  order.Expiry    `json:"on_expiry,omitempty"`
}

// attemptView is the JSON of an attempt.
type attemptView struct {
	Number    int             `json:"number"`
	WorkerID  string          `json:"worker_id"`
	StartedAt order.Timestamp `json:"started_at"`
	EndedAt   order.Timestamp `json:"ended_at,omitzero"`
	Error     string          `json:"error,omitempty"`
	Note      string          `json:"note,omitempty"`
}

func viewFound(o found) recordView {
	v := viewRecord(o.Record)
	v.Archived = o.archived
	return v
}

func viewRecord(rec order.Record) recordView {
	v := recordView{
		View: rec.View(), Status: rec.Status, Queue: rec.Queue, Handling: rec.Handling,
		CreatedAt: order.Timestamp{Time: rec.CreatedAt}, NextAttemptAt: order.Timestamp{Time: rec.NextAttemptAt},
		ProcessedAt: order.Timestamp{Time: rec.ProcessedAt},
		Result:      rec.Result(), Error: rec.Error, CancelReason: rec.CancelReason, TraceID: rec.TraceID, Attempts: []attemptView{},
	}
	if d := rec.Decision; d != nil {
		v.Tags = d.Tags
		if rec.Status == order.StatusHeld {
			v.Hold = &holdView{Rule: d.Rule, Reason: d.Reason, Since: order.Timestamp{Time: rec.HeldAt}, ExpiresAt: order.Timestamp{Time: rec.HeldUntil}, OnExpiry: d.Hold.OnExpiry()}
		}
	}
	for _, a := range rec.Attempts {
		v.Attempts = append(v.Attempts, attemptView{
			Number: a.Number, WorkerID: a.Worker, StartedAt: order.Timestamp{Time: a.StartedAt},
			EndedAt: order.Timestamp{Time: a.EndedAt}, Error: a.Error, Note: a.Note,
		})
		v.WorkerID = a.Worker
	}
	if v.Result != "" {
		success := rec.Status == order.StatusCompleted
		v.Success = &success
	}
	if n := len(rec.Attempts); n > 0 && rec.Status.Settled() {
		ms := rec.Attempts[n-1].EndedAt.Sub(rec.Attempts[n-1].StartedAt).Milliseconds()
		v.ProcessingTimeMS = &ms
	}
	return v
}
