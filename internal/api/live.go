package api

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

const (
	livePath          = "/events"
	headerLastEventID = "Last-Event-Id"
	queryLastEventID  = "last_event_id"
	mimeEventStream   = "text/event-stream"
	// cacheStream keeps proxies from holding events back to compress them, as well.
	cacheStream = "no-cache, no-store, no-transform"
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
	c.Set(fiber.HeaderCacheControl, cacheStream)
	c.Context().SetConnectionClose() // nothing is read as a request any more
	if c.Method() == fiber.MethodHead {
		stream.Close()
		return nil
	}
	f := follower{stream: stream, conn: c.Context().Conn(), api: s}
	boundUnsent(f.conn)
	if c.Request().Header.IsHTTP11() {
		c.Context().SetBodyStreamWriter(f.run)
		return nil
	}
	// HTTP/1.0 knows no chunks, so the answer ends with the connection. fasthttp
	// writes no such answer.
	header := unframedHeader(&c.Response().Header)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(net.Conn) {
		w := bufio.NewWriter(f.conn)
		_, _ = w.Write(header)
		f.run(w)
	})
	return nil
}

// unframedHeader is the header of an answer of 200 that says nothing of its length.
func unframedHeader(h *fasthttp.ResponseHeader) []byte {
	text := []byte("HTTP/1.1 200 OK\r\nConnection: close\r\n")
	for name, value := range h.All() {
		switch string(name) {
		case fiber.HeaderConnection, fiber.HeaderContentLength, fiber.HeaderTransferEncoding:
		default:
			text = fmt.Appendf(text, "%s: %s\r\n", name, value)
		}
	}
	return append(text, "\r\n"...)
}

// wantedEvents reads the filter of a stream and where it goes on. The id of an event
// comes in the header, as browsers send it when they come back by themselves, or in
// the query, for a new EventSource, which cannot set a header: the header, which is
// newer, wins.
func wantedEvents(c *fiber.Ctx) (live.Filter, *order.EventID, error) {
	p := parametersOf(c, "status", "id", queryLastEventID)
	filter := live.Filter{Statuses: p.statuses("status"), Orders: p.ids("id")}
	var after *order.EventID
	ids := c.Request().Header.PeekAll(headerLastEventID)
	if len(ids) > 0 && len(ids[0]) > 0 {
		after = p.eventID("Last-Event-ID", string(ids[0]))
		if len(ids) > 1 {
			p.add("Last-Event-ID", order.CodeTooMany, "must not be given more than once")
		}
	} else if text, ok := p.take(queryLastEventID); ok {
		after = p.eventID(queryLastEventID, text)
	}
	return filter, after, p.err()
}

func (p *parameters) eventID(name, text string) *order.EventID {
	id, err := order.ParseEventID(text)
	if err != nil {
		p.add(name, order.CodeInvalid, "must be the id of an event, as in 1764000000000-0")
	}
	return &id
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
