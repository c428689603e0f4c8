package api

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// listView is the JSON of a page of orders.
type listView struct {
	Orders     []json.RawMessage `json:"orders"`
	NextCursor string            `json:"next_cursor,omitempty"`
	AsOf       order.Timestamp   `json:"as_of,omitzero"`
	Incomplete bool              `json:"incomplete,omitempty"`
}

// listOrders answers GET /orders.
func (s *Server) listOrders(c *fiber.Ctx) error {
	q, filter := s.filterOf(c, "limit", "cursor")
	limit := q.limit(maxListed, defaultListed)
	var after order.Position
	if cursor, ok := q.value("cursor"); ok {
		if after, ok = parseCursor(cursor, filterKey(q, filter)...); !ok {
			q.add("cursor", order.CodeInvalid, errCursor)
		}
	}
	if err := s.checkFilter(q, filter); err != nil {
		return err
	}
	p, err := s.listPage(c.UserContext(), filter, after, limit)
	if err != nil {
		return err
	}
	s.logPage(c, p)
	v := listView{AsOf: order.Timestamp{Time: p.asOf}, Incomplete: p.away != nil}
	next, err := v.add(p)
	if err != nil {
		return err
	}
	if !next.IsZero() {
		v.NextCursor = cursorOf(next, filterKey(q, filter)...)
		c.Set(fiber.HeaderLink, linkNext("/orders", q.values, v.NextCursor))
	}
	return c.JSON(v)
}

func (s *Server) listPage(ctx context.Context, f order.Filter, after order.Position, limit int) (page, error) {
	if f.NeedsArchive() {
		return s.search(ctx, f, after, limit)
	}
	return s.page(ctx, f, after, limit, s.partTimeout())
}

// add adds the orders of a page, up to maxListedBytes, and returns the position to
// continue after.
func (v *listView) add(p page) (next order.Position, err error) {
	v.Orders = make([]json.RawMessage, 0, len(p.orders))
	size := 0
	for i, o := range p.orders {
		text, err := json.Marshal(viewFound(o))
		if err != nil {
			return order.Position{}, err
		}
		v.Orders = append(v.Orders, text)
		if size += len(text); size >= maxListedBytes && i+1 < len(p.orders) {
			return o.position(), nil
		}
	}
	return p.next, nil
}

func micros(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// linkNext returns the Link header (RFC 8288) of the same query with another cursor.
func linkNext(path string, query url.Values, cursor string) string {
	query.Set("cursor", cursor)
	return "<" + path + "?" + query.Encode() + `>; rel="next"`
}
