package api

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// listView is a page of orders as clients see it.
type listView struct {
	Orders     []recordView `json:"orders"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// listOrders answers GET /orders.
func (s *Server) listOrders(c *fiber.Ctx) error {
	p := parametersOf(c, "status", "customer", "created_from", "created_to", "limit", "cursor")
	filter := order.Filter{
		Status: p.status("status"), Customer: p.text("customer", order.MaxCustomerChars),
		CreatedFrom: p.time("created_from"), CreatedTo: p.time("created_to"),
	}
	limit := p.integer("limit", 1, maxListed, defaultListed)
	var after order.Position
	if cursor, ok := p.take("cursor"); ok {
		if after, ok = parseCursor(cursor, listOf(filter)...); !ok {
			p.add("cursor", order.CodeInvalid, errCursor)
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	records, next, err := s.Records.List(c.UserContext(), filter, after, limit)
	if errors.Is(err, order.ErrUnreadable) {
		s.cfg.Log.ErrorContext(c.UserContext(), "orders cannot be listed", "error", err, "request_id", requestID(c))
	} else if err != nil {
		return err
	}
	v := listView{Orders: make([]recordView, len(records))}
	for i, rec := range records {
		v.Orders[i] = viewRecord(rec)
	}
	if !next.IsZero() {
		v.NextCursor = cursorOf(next, listOf(filter)...)
		c.Set(fiber.HeaderLink, linkNext(p.values, v.NextCursor))
	}
	return c.JSON(v)
}

// listOf spells out the filter of a list, for its cursors.
func listOf(f order.Filter) []string {
	return []string{"list", string(f.Status), f.Customer, micros(f.CreatedFrom), micros(f.CreatedTo)}
}

func micros(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// linkNext is the Link header of RFC 8288 for the same query with another cursor.
func linkNext(query url.Values, cursor string) string {
	query.Set("cursor", cursor)
	return "</orders?" + query.Encode() + `>; rel="next"`
}
