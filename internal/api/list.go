package api

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// listView is the JSON of a page of orders.
type listView struct {
	Orders     []recordView `json:"orders"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// listOrders answers GET /orders.
func (s *Server) listOrders(c *fiber.Ctx) error {
	q := queryOf(c, "status", "customer", "created_from", "created_to", "limit", "cursor")
	filter := order.Filter{
		Status: q.status("status"), Customer: q.text("customer", order.MaxCustomerChars),
		CreatedFrom: q.time("created_from"), CreatedTo: q.time("created_to"),
	}
	limit := q.integer("limit", 1, maxListed, defaultListed)
	var after order.Position
	if cursor, ok := q.value("cursor"); ok {
		if after, ok = parseCursor(cursor, filterKey(filter)...); !ok {
			q.add("cursor", order.CodeInvalid, errCursor)
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	records, next, err := s.Records.List(c.UserContext(), filter, after, limit)
	if errors.Is(err, order.ErrUnreadable) {
		s.cfg.Log.ErrorContext(c.UserContext(), "orders cannot be listed", "error", err, "request_id", httpserver.RequestID(c))
	} else if err != nil {
		return err
	}
	v := listView{Orders: make([]recordView, len(records))}
	for i, rec := range records {
		v.Orders[i] = viewRecord(rec)
	}
	if !next.IsZero() {
		v.NextCursor = cursorOf(next, filterKey(filter)...)
		c.Set(fiber.HeaderLink, linkNext("/orders", q.values, v.NextCursor))
	}
	return c.JSON(v)
}

// filterKey identifies a list by its filter, for its cursors.
func filterKey(f order.Filter) []string {
	return []string{"list", string(f.Status), f.Customer, micros(f.CreatedFrom), micros(f.CreatedTo)}
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
