package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

const (
	headerLastEventID = "Last-Event-Id"
	queryLastEventID  = "last_event_id"
	mimeEventStream   = "text/event-stream"
	// cacheStream also keeps proxies from delaying events in order to compress them.
	cacheStream = "no-cache, no-store, no-transform"
)

// streamedEventView is an event of the stream of all orders.
type streamedEventView struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id"`
	eventView
}

// subscribe answers GET /events: the answer stays open and has each event as it happens,
// until the client disconnects or is too slow, or the API stops.
func (s *Server) subscribe(c *fiber.Ctx) error {
	filter, after, err := s.wantedEvents(c)
	if err != nil {
		return err
	}
	stream, err := s.Live.Open(c.UserContext(), filter, after)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mimeEventStream)
	c.Set("X-Accel-Buffering", "no") // otherwise nginx delays events
	c.Set(fiber.HeaderCacheControl, cacheStream)
	if c.Method() == fiber.MethodHead {
		stream.Close()
		return nil
	}
	s.http.Stream(c, func(ctx context.Context, w *httpserver.StreamWriter) {
		defer stream.Close()
		s.writeEvents(ctx, stream, w)
	})
	return nil
}

// writeEvents writes the events of a stream until it ends, ctx ends, or the client no
// longer receives.
func (s *Server) writeEvents(ctx context.Context, stream *live.Stream, w *httpserver.StreamWriter) {
	_, _ = fmt.Fprintf(w, "retry: %d\n%s", reconnectAfter.Milliseconds(), heartbeat(stream.Position()))
	for w.Flush() && s.writeNext(ctx, stream, w) {
	}
}

// writeNext writes the next events, or a heartbeat. It reports whether the stream goes on.
func (s *Server) writeNext(ctx context.Context, stream *live.Stream, w *httpserver.StreamWriter) bool {
	waiting, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	b, err := stream.Next(waiting)
	if err != nil || ctx.Err() != nil {
		return false
	}
	if b.Gap {
		_, _ = fmt.Fprintf(w, "event: gap\ndata: {\"after\":%q}\n\n", b.After)
	}
	id, text := []byte(nil), s.eventText
	for position, event := range b.All() {
		id = append(position.Append(append(id[:0], "id: "...)), '\n')
		_, _ = w.Write(id)
		_, _ = w.Write(event.Text(text))
		if w.Buffered() > w.Size()/2 && !w.Flush() {
			return false
		}
	}
	if len(b.Events) == 0 {
		_, _ = w.WriteString(heartbeat(b.Position))
	}
	return true
}

// heartbeat gives the client the position to continue after, without an event.
func heartbeat(position order.EventPosition) string {
	return ": alive\nid: " + position.String() + "\n\n"
}

// eventText is what all subscribers receive of an event, after the id, which is where each
// of them has come.
func (s *Server) eventText(e order.Event) []byte {
	v := s.viewEvent(e.OrderID, e)
	data, _ := json.Marshal(streamedEventView{v.ID, e.OrderID, v}) //nolint:errchkjson // texts and numbers always encode
	return fmt.Appendf(nil, "event: order\ndata: %s\n\n", data)
}

// wantedEvents reads the filter of a stream, and the position after which it continues. The
// position is named by the header, which a browser sends when it reconnects, or by the
// query, because a new EventSource cannot set a header. The header is newer and has
// precedence.
func (s *Server) wantedEvents(c *fiber.Ctx) (live.Filter, order.EventPosition, error) {
	q := queryOf(c, "status", "id", queryLastEventID)
	filter := live.Filter{Statuses: q.statuses("status"), Orders: q.ids("id")}
	var after order.EventPosition
	ids := c.Request().Header.PeekAll(headerLastEventID)
	if len(ids) > 0 && len(ids[0]) > 0 {
		after = q.position("Last-Event-ID", string(ids[0]), s.cfg.Books)
		if len(ids) > 1 {
			q.add("Last-Event-ID", order.CodeTooMany, "must not be given more than once")
		}
	} else if text, ok := q.value(queryLastEventID); ok {
		after = q.position(queryLastEventID, text, s.cfg.Books)
	}
	return filter, after, q.err()
}

func (q *query) position(name, text string, books int) order.EventPosition {
	p, err := order.ParseEventPosition(text)
	switch {
	case err == nil && len(p) == books:
		return p
	case books == 1:
		q.add(name, order.CodeInvalid, "must be the id of an event, as in 1764000000000-0")
	default:
		q.add(name, order.CodeInvalid, "must be an id that a stream of this installation has sent, not the id in the data of an event")
	}
	return nil
}

// statuses reads a list of statuses.
func (q *query) statuses(name string) []order.Status {
	var all []order.Status
	for _, text := range q.list(name, len(order.Statuses())) {
		if !slices.Contains(order.Statuses(), order.Status(text)) {
			q.add(name, order.CodeInvalid, "must be statuses of orders, separated by commas, as in failed,rejected")
			return nil
		}
		all = append(all, order.Status(text))
	}
	return all
}

// ids reads a list of order ids.
func (q *query) ids(name string) []string {
	all := q.list(name, maxFilteredOrders)
	if slices.ContainsFunc(all, func(id string) bool { return !order.ValidID(id) }) {
		q.add(name, order.CodeInvalid, "must be ids of orders, separated by commas")
	}
	return all
}
