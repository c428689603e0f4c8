package api

import (
	"strconv"

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
		v.Events[i] = s.viewEvent(id, e)
	}
	return c.JSON(v)
}

// viewEvent shows an event of an order. Its id is unique in its book; with the number of
// the book it is unique in all.
func (s *Server) viewEvent(orderID string, e order.Event) eventView {
	id := e.ID
	if s.cfg.Books > 1 {
		id += "." + strconv.Itoa(order.BookOf(orderID, s.cfg.Books))
	}
	return eventView{
		ID: id, Sequence: e.Sequence, Status: e.Status, Time: order.Timestamp{Time: e.At},
		Attempt: e.Attempt, WorkerID: e.Worker, Reason: e.Reason, Actor: e.Actor,
	}
}
