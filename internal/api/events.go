package api

import (
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// eventView is one event of an order.
type eventView struct {
	ID       string          `json:"id"`
	Sequence int             `json:"sequence"`
	Status   order.Status    `json:"status"`
	Time     order.Timestamp `json:"time"`
	Attempt  int             `json:"attempt,omitempty"`
	WorkerID string          `json:"worker_id,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Actor    string          `json:"actor,omitempty"`
}

type eventsView struct {
	Events   []eventView `json:"events"`
	Archived bool        `json:"archived,omitempty"`
}

// listEvents answers GET /orders/{id}/events.
func (s *Server) listEvents(c *fiber.Ctx) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	events, archived, err := s.findEvents(c.UserContext(), id)
	if err != nil {
		return err
	}
	v := eventsView{Events: make([]eventView, len(events)), Archived: archived}
	for i, e := range events {
		v.Events[i] = viewEvent(e)
	}
	return c.JSON(v)
}

func viewEvent(e order.Event) eventView {
	return eventView{
		ID: e.ID, Sequence: e.Sequence, Status: e.Status, Time: order.Timestamp{Time: e.At},
		Attempt: e.Attempt, WorkerID: e.Worker, Reason: e.Reason, Actor: e.Actor,
	}
}
