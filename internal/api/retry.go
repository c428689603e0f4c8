package api

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// retryOrder answers POST /orders/{id}/retry.
func (s *Server) retryOrder(c *fiber.Ctx) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	rec, err := s.Retries.Retry(c.UserContext(), id, interventionOf(c))
	if err != nil {
		return err
	}
	c.Location(orderPath(rec.ID))
	return c.Status(fiber.StatusAccepted).JSON(viewRecord(rec))
}

// retryRequest is what POST /orders/retry asks for.
type retryRequest struct {
	filter intake.RetryFilter
	list   []string // identifies the list that a cursor belongs to
	after  order.Position
	limit  int
	dryRun bool
}

// retryView is the JSON of a report.
type retryView struct {
	Count      int    `json:"count"`
	Retried    int    `json:"retried"`
	DryRun     bool   `json:"dry_run"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// retryOrders answers POST /orders/retry.
func (s *Server) retryOrders(c *fiber.Ctx) error {
	r, err := decodeRetry(bodyOf(c), time.Now())
	if err != nil {
		return err
	}
	report, err := s.Retries.RetryAll(c.UserContext(), r.filter, r.after, r.limit, r.dryRun, interventionOf(c))
	if err != nil {
		return err
	}
	v := retryView{Count: report.Count, Retried: report.Retried, DryRun: r.dryRun}
	if !report.Next.IsZero() {
		v.NextCursor = cursorOf(report.Next, r.list...)
	}
	return c.JSON(v)
}

// decodeRetry reads the request. Ages are relative to now.
func decodeRetry(body []byte, now time.Time) (retryRequest, error) {
	members, err := decodeObject(body)
	if err != nil {
		return retryRequest{}, err
	}
	var d decoder
	r := retryRequest{limit: defaultRetried}
	r.filter.Status = d.retryable(members)
	r.filter.ErrorContains = d.line(members, "error_contains", maxErrorPart)
	olderThan := d.notEmpty(members, "older_than")
	r.filter.CreatedTo = d.before(olderThan, now)
	if limit := d.number(members, "limit"); limit != "" {
		if r.limit, err = wholeNumber(limit, maxRetried); err != nil {
			d.add("limit", order.CodeOutOfRange, "%v", err)
		}
	}
	r.dryRun = d.boolean(members, "dry_run")
	r.list = []string{"retry", string(r.filter.Status), r.filter.ErrorContains, olderThan}
	if cursor, ok := members["cursor"]; ok {
		text := d.text(members, "cursor")
		if r.after, ok = parseCursor(text, r.list...); !ok && cursor.Kind() == '"' {
			d.add("cursor", order.CodeInvalid, errCursor)
		}
	}
	d.unknown(members, "a retry")
	return r, d.err()
}

func (d *decoder) retryable(members map[string]jsontext.Value) order.Status {
	if _, present := members["status"]; !present {
		d.add("status", order.CodeRequired, "is required")
	}
	v := d.value(members, "status", '"', "a string")
	status := order.Status(unquote(v))
	if v != nil && !status.Retryable() {
		d.add("status", order.CodeInvalid, "must be failed or rejected")
	}
	return status
}

// before returns the time that an age or a time denotes.
func (d *decoder) before(text string, now time.Time) time.Time {
	if text == "" {
		return time.Time{}
	}
	if len(text) > maxAgeChars {
		d.add("older_than", order.CodeTooLong, "must have at most %d characters", maxAgeChars)
		return time.Time{}
	}
	if age, err := time.ParseDuration(text); err == nil {
		if age < 0 {
			d.add("older_than", order.CodeOutOfRange, "must not be negative")
		}
		return now.Add(-age)
	}
	t, err := parseTime(text)
	if err != nil {
		d.add("older_than", order.CodeInvalid, "must be an age, as in 90s, 15m or 2h30m, or a time with a zone (RFC 3339)")
	}
	return t
}

func (d *decoder) boolean(members map[string]jsontext.Value, name string) bool {
	v, ok := members[name]
	delete(members, name)
	if ok && v.Kind() != 't' && v.Kind() != 'f' {
		d.add(name, order.CodeWrongType, "must be a boolean, not %s", describe(v.Kind()))
	}
	return ok && v.Kind() == 't'
}
