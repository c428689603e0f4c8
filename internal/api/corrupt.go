package api

import (
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

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
