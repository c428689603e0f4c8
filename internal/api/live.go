package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

const (
	livePath          = "/events"
	headerLastEventID = "Last-Event-Id"
	mimeEventStream   = "text/event-stream"
)

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
	if c.Method() == fiber.MethodHead {
		stream.Close()
		return nil
	}
	f := follower{stream: stream, conn: c.Context().Conn(), api: s}
	if tcp, ok := f.conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(followerBuffer) // a smaller bound, or the system's own
	}
	c.Context().SetBodyStreamWriter(f.run)
	return nil
}

// wantedEvents reads the filter of a stream and where it goes on. The id of an event
// comes in the header, as browsers send it when they come back.
func wantedEvents(c *fiber.Ctx) (live.Filter, *order.EventID, error) {
	p := parametersOf(c, "status", "id")
	filter := live.Filter{Statuses: p.statuses("status"), Orders: p.ids("id")}
	var after *order.EventID
	if text := c.Get(headerLastEventID); text != "" {
		id, err := order.ParseEventID(strings.Clone(text))
		if err != nil {
			p.add("Last-Event-ID", order.CodeInvalid, "must be the id of an event, as in 1764000000000-0")
		}
		after = &id
	}
	return filter, after, p.err()
}

// follower writes a stream to one client.
type follower struct {
	stream *live.Stream
	conn   net.Conn
	api    *Server
}

// run writes until the client is gone, or does not take what is written in time.
func (f follower) run(w *bufio.Writer) {
	defer f.stream.Close()
	var err error
	defer func() {
		if err != nil {
			f.api.cfg.Log.Error("events could not be sent", "error", err)
		}
	}()
	defer caught(&err)
	_, _ = fmt.Fprintf(w, "retry: %d\n%s", reconnectAfter.Milliseconds(), placeText(f.stream.Place()))
	for f.flush(w) && f.send(w) {
	}
}

// send writes what comes next, or a heartbeat, and says whether there may be more.
func (f follower) send(w *bufio.Writer) bool {
	ctx, cancel := context.WithTimeout(f.api.serving, heartbeatInterval)
	defer cancel()
	b, err := f.stream.Next(ctx)
	if err != nil || f.api.serving.Err() != nil {
		return false
	}
	if b.Gap {
		_, _ = fmt.Fprintf(w, "event: gap\ndata: {\"after\":%q}\n\n", b.After)
	}
	for _, change := range b.Changes {
		_, _ = w.Write(change.Text(changeText))
		if w.Buffered() > w.Size()/2 && !f.flush(w) {
			return false
		}
	}
	_, _ = w.WriteString(placeText(b.Place))
	return true
}

// flush gives the client some time to take what is written.
func (f follower) flush(w *bufio.Writer) bool {
	return f.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) == nil && w.Flush() == nil
}

// placeText names the place that a client goes on after, without an event. It is a
// sign of life as well.
func placeText(place order.EventID) string { return ": alive\nid: " + place.String() + "\n\n" }

func changeText(e order.Event) []byte {
	data, _ := json.Marshal(changeView{e.ID, e.OrderID, viewEvent(e)}) //nolint:errchkjson // texts and numbers always encode
	return fmt.Appendf(nil, "id: %s\nevent: order\ndata: %s\n\n", e.ID, data)
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
