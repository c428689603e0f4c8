package api

import (
	"mime"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// headerReplayed marks an answer that was given before.
const headerReplayed = "Idempotency-Replayed"

// submit answers POST /orders.
func (s *Server) submit(c *fiber.Ctx) error {
	if err := wantJSON(c); err != nil {
		return err
	}
	o, err := decodeOrder(c.Request().Body())
	if err != nil {
		return err
	}
	rec, isNew, err := s.intake.Take(c.UserContext(), o)
	if err != nil {
		return err
	}
	c.Location("/orders/" + rec.ID)
	if !isNew {
		c.Set(headerReplayed, "true")
		return c.JSON(viewRecord(rec))
	}
	return c.Status(fiber.StatusCreated).JSON(viewRecord(rec))
}

// wantJSON refuses a body that does not say it is JSON, plain and in UTF-8.
func wantJSON(c *fiber.Ctx) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fiber.NewError(fiber.StatusUnsupportedMediaType, "The body must not be compressed.")
	}
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationJSON {
		return fiber.NewError(fiber.StatusUnsupportedMediaType, "The Content-Type must be application/json.")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fiber.NewError(fiber.StatusUnsupportedMediaType, "The charset must be utf-8.")
	}
	return nil
}

// getOrder answers GET /orders/{id}.
func (s *Server) getOrder(c *fiber.Ctx) error {
	id := strings.Clone(c.Params("id"))
	if !order.ValidID(id) {
		return order.ErrNotFound
	}
	rec, err := s.records.Get(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.JSON(viewRecord(rec))
}

// recordView is an order as clients see it.
type recordView struct {
	order.Order
	Status           order.Status   `json:"status"`
	Queue            order.Queue    `json:"queue"`
	Handling         order.Handling `json:"handling,omitempty"`
	CreatedAt        time.Time      `json:"created_at"`
	NextAttemptAt    *time.Time     `json:"next_attempt_at,omitempty"`
	ProcessedAt      *time.Time     `json:"processed_at,omitempty"`
	ProcessingTimeMS *int64         `json:"processing_time_ms,omitempty"`
	WorkerID         string         `json:"worker_id,omitempty"`
	Success          *bool          `json:"success,omitempty"`
	Result           string         `json:"result,omitempty"`
	Error            string         `json:"error,omitempty"`
	Attempts         []attemptView  `json:"attempts"`
}

// attemptView is one attempt as clients see it.
type attemptView struct {
	Number    int        `json:"number"`
	WorkerID  string     `json:"worker_id"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Error     string     `json:"error,omitempty"`
	Note      string     `json:"note,omitempty"`
}

func viewRecord(rec order.Record) recordView {
	v := recordView{
		Order: rec.Order, Status: rec.Status, Queue: rec.Queue, Handling: rec.Handling,
		CreatedAt: rec.CreatedAt, NextAttemptAt: known(rec.NextAttemptAt), ProcessedAt: known(rec.ProcessedAt),
		Result: rec.Result(), Error: rec.Error, Attempts: []attemptView{},
	}
	for _, a := range rec.Attempts {
		v.Attempts = append(v.Attempts, attemptView{
			Number: a.Number, WorkerID: a.Worker, StartedAt: a.StartedAt, EndedAt: known(a.EndedAt), Error: a.Error, Note: a.Note,
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

// known leaves out a time that has not come.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
