package api

import (
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// damagedView is one place of a queue that could not be read.
type damagedView struct {
	OrderID    string          `json:"order_id"`
	SetAsideAt order.Timestamp `json:"set_aside_at"`
	Message    []byte          `json:"message"` // base64 in JSON
}

type damagedListView struct {
	Queue   order.Queue   `json:"queue"`
	Damaged []damagedView `json:"damaged"`
}

// listDamaged answers GET /queues/{name}/damaged.
func (s *Server) listDamaged(c *fiber.Ctx) error {
	q, err := queueOf(c)
	if err != nil {
		return err
	}
	found, err := s.Queues.CorruptTasks(c.UserContext(), q, maxDamagedListed)
	if err != nil {
		return err
	}
	v := damagedListView{Queue: q, Damaged: make([]damagedView, len(found))}
	for i, d := range found {
		v.Damaged[i] = damagedView{OrderID: d.ID, SetAsideAt: order.Timestamp{Time: d.SetAsideAt}, Message: d.Message}
	}
	return c.JSON(v)
}
