package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

const (
	livePath          = "/events"
	headerLastEventID = "Last-Event-Id"
	mimeEventStream   = "text/event-stream"
)

// errOldHTTP is a client that cannot take an answer without a known end.
var errOldHTTP = errors.New("a stream needs HTTP/1.1")

// Live hands on changes as they happen; see the methods of live.Hub.
type Live interface {
	Open(ctx context.Context, f live.Filter, after *order.EventID) (*live.Stream, error)
	Await(ctx context.Context, orderID string) (settled <-chan struct{}, stop func(), err error)
}

// changeView is an event of the stream of all orders.
type changeView struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id"`
	eventView
}

// followEvents answers GET /events: it stays open and sends each change as it happens,
// until the client goes, falls behind, or the API stops.
func (s *Server) followEvents(c *fiber.Ctx) error {
	if !c.Request().Header.IsHTTP11() {
		return errOldHTTP
	}
	filter, after, err := wantedEvents(c)
	if err != nil {
		return err
	}
	stream, err := s.Live.Open(c.UserContext(), filter, after)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mimeEventStream)
	c.Set("X-Accel-Buffering", "no") // or nginx holds events back
	c.Context().SetConnectionClose() // nothing is read as a request any more
	if c.Method() == fiber.MethodHead {
		stream.Close()
		return nil
	}
	f := follower{stream: stream, conn: c.Context().Conn(), api: s}
	boundUnsent(f.conn)
	c.Context().SetBodyStreamWriter(f.run)
	return nil
}

// wantedEvents reads the filter of a stream and where it goes on. The id of an event
// comes in the header, as browsers send it when they come back.
func wantedEvents(c *fiber.Ctx) (live.Filter, *order.EventID, error) {
	p := parametersOf(c, "status", "id")
	filter := live.Filter{Statuses: p.statuses("status"), Orders: p.ids("id")}
	var after *order.EventID
	ids := c.Request().Header.PeekAll(headerLastEventID)
	if len(ids) > 0 && len(ids[0]) > 0 {
		id, err := order.ParseEventID(string(ids[0]))
		if err != nil || len(ids) > 1 {
			p.add("Last-Event-ID", order.CodeInvalid, "must be the id of an event, as in 1764000000000-0")
		}
		after = &id
	}
	return filter, after, p.err()
}

// statuses reads a list of statuses.
func (p *parameters) statuses(name string) []order.Status {
	var all []order.Status
	for _, text := range p.list(name, len(order.Statuses())) {
		if !slices.Contains(order.Statuses(), order.Status(text)) {
			p.add(name, order.CodeInvalid, "must be statuses of orders between commas, as in failed,rejected")
			return nil
		}
		all = append(all, order.Status(text))
	}
	return all
}

// ids reads a list of order ids.
func (p *parameters) ids(name string) []string {
	all := p.list(name, maxFollowed)
	if slices.ContainsFunc(all, func(id string) bool { return !order.ValidID(id) }) {
		p.add(name, order.CodeInvalid, "must be ids of orders between commas")
	}
	return all
}

// list reads values between commas.
func (p *parameters) list(name string, most int) []string {
	text, ok := p.take(name)
	if !ok {
		return nil
	}
	all := strings.Split(text, ",")
	if len(all) > most {
		p.add(name, order.CodeTooMany, "must be at most %d values", most)
		return nil
	}
	return all
}
