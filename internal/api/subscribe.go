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
	filter, after, err := wantedEvents(c)
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
		writeEvents(ctx, stream, w)
	})
	return nil
}

// writeEvents writes the events of a stream until it ends, ctx ends, or the client no
// longer receives.
func writeEvents(ctx context.Context, stream *live.Stream, w *httpserver.StreamWriter) {
	_, _ = fmt.Fprintf(w, "retry: %d\n%s", reconnectAfter.Milliseconds(), heartbeat(stream.Position()))
	for w.Flush() && writeNext(ctx, stream, w) {
	}
}

// writeNext writes the next events, or a heartbeat. It reports whether the stream goes on.
func writeNext(ctx context.Context, stream *live.Stream, w *httpserver.StreamWriter) bool {
	waiting, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	b, err := stream.Next(waiting)
	if err != nil || ctx.Err() != nil {
		return false
	}
	if b.Gap {
		_, _ = fmt.Fprintf(w, "event: gap\ndata: {\"after\":%q}\n\n", b.After)
	}
	for _, event := range b.Events {
		_, _ = w.Write(event.Text(eventText))
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
func heartbeat(position order.EventID) string {
	return ": alive\nid: " + position.String() + "\n\n"
}

func eventText(e order.Event) []byte {
	data, _ := json.Marshal(streamedEventView{e.ID, e.OrderID, viewEvent(e)}) //nolint:errchkjson // texts and numbers always encode
	return fmt.Appendf(nil, "id: %s\nevent: order\ndata: %s\n\n", e.ID, data)
}

// wantedEvents reads the filter of a stream, and the event after which it continues. The
// event is named by the header, which a browser sends when it reconnects, or by the query,
// because a new EventSource cannot set a header. The header is newer and has precedence.
func wantedEvents(c *fiber.Ctx) (live.Filter, *order.EventID, error) {
	q := queryOf(c, "status", "id", queryLastEventID)
	filter := live.Filter{Statuses: q.statuses("status"), Orders: q.ids("id")}
	var after *order.EventID
	ids := c.Request().Header.PeekAll(headerLastEventID)
	if len(ids) > 0 && len(ids[0]) > 0 {
		after = q.eventID("Last-Event-ID", string(ids[0]))
		if len(ids) > 1 {
			q.add("Last-Event-ID", order.CodeTooMany, "must not be given more than once")
		}
	} else if text, ok := q.value(queryLastEventID); ok {
		after = q.eventID(queryLastEventID, text)
	}
	return filter, after, q.err()
}

func (q *query) eventID(name, text string) *order.EventID {
	id, err := order.ParseEventID(text)
	if err != nil {
		q.add(name, order.CodeInvalid, "must be the id of an event, as in 1764000000000-0")
	}
	return &id
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
