package api

import (
	"context"
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// queueView is the JSON of a queue.
type queueView struct {
	Pending              int64   `json:"pending"`
	Active               int64   `json:"active"`
	Scheduled            int64   `json:"scheduled"`
	Retry                int64   `json:"retry"`
	Archived             int64   `json:"archived"`
	Paused               bool    `json:"paused"`
	OldestPendingSeconds float64 `json:"oldest_pending_seconds"`
	MemoryPercent        int64   `json:"memory_percent"`
}

func viewQueue(q order.Queue, d stats.Depth) queueView {
	return queueView{
		Pending: d.Pending, Active: d.Active, Scheduled: d.Scheduled, Retry: d.Retry, Archived: d.Archived,
		Paused: d.Paused, OldestPendingSeconds: d.OldestPending.Seconds(),
		MemoryPercent: q.Spec().MemoryPercent,
	}
}

type namedQueueView struct {
	Name order.Queue `json:"name"`
	queueView
}

type queuesView struct {
	Queues []namedQueueView `json:"queues"`
}

// errNoQueue is the name of a queue that does not exist.
var errNoQueue = errors.New("no such queue")

// listQueues answers GET /queues.
func (s *Server) listQueues(c *fiber.Ctx) error {
	depths, err := s.Queues.Depths(c.UserContext())
	if err != nil {
		return err
	}
	var v queuesView
	for _, q := range order.Queues() {
		v.Queues = append(v.Queues, namedQueueView{q, viewQueue(q, depths[q])})
	}
	return c.JSON(v)
}

// pauseQueue answers POST /queues/{name}/pause.
func (s *Server) pauseQueue(c *fiber.Ctx) error {
	return s.setPaused(c, order.AuditPause, s.Queues.Pause, "queue is paused")
}

// resumeQueue answers POST /queues/{name}/resume.
func (s *Server) resumeQueue(c *fiber.Ctx) error {
	return s.setPaused(c, order.AuditResume, s.Queues.Resume, "queue is resumed")
}

// queueOf returns the queue that the path names.
func queueOf(c *fiber.Ctx) (order.Queue, error) {
	name, ok := pathValue(c, "name")
	q := order.Queue(name)
	if !ok || !slices.Contains(order.Queues(), q) {
		return "", errNoQueue
	}
	return q, nil
}

func (s *Server) setPaused(
	c *fiber.Ctx, action order.AuditAction, set func(context.Context, order.Queue) error, done string,
) error {
	q, err := queueOf(c)
	if err != nil {
		return err
	}
	if err := s.audit(c, action, string(q)); err != nil {
		return err
	}
	if err := set(c.UserContext(), q); err != nil {
		return err
	}
	s.cfg.Log.InfoContext(c.UserContext(), done, "queue", q, "request_id", httpserver.RequestID(c))
	depths, err := s.Queues.Depths(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(namedQueueView{q, viewQueue(q, depths[q])})
}

// corruptTaskView is a task that could not be decoded.
type corruptTaskView struct {
	OrderID string          `json:"order_id"`
	FoundAt order.Timestamp `json:"found_at"`
	Message []byte          `json:"message"` // base64 in JSON
}

type corruptListView struct {
	Queue order.Queue       `json:"queue"`
	Tasks []corruptTaskView `json:"tasks"`
}

// listCorrupt answers GET /queues/{name}/corrupt.
func (s *Server) listCorrupt(c *fiber.Ctx) error {
	q, err := queueOf(c)
	if err != nil {
		return err
	}
	found, err := s.Queues.CorruptTasks(c.UserContext(), q, maxCorruptListed)
	if err != nil {
		return err
	}
	v := corruptListView{Queue: q, Tasks: make([]corruptTaskView, len(found))}
	for i, task := range found {
		v.Tasks[i] = corruptTaskView{OrderID: task.ID, FoundAt: order.Timestamp{Time: task.FoundAt}, Message: task.Message}
	}
	return c.JSON(v)
}
