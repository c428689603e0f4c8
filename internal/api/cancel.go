package api

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/access"
	"orderprocessor/internal/order"
)

// cancelOrder answers POST /orders/{id}/cancel.
func (s *Server) cancelOrder(c *fiber.Ctx) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	by := interventionOf(c)
	if by.Reason, err = decodeReason(bodyOf(c), "a cancel", false); err != nil {
		return err
	}
	rec, err := s.Intake.Cancel(c.UserContext(), id, by)
	if err != nil {
		return err
	}
	if !s.allows(c, access.Read) {
		return c.JSON(cancelledView{ID: rec.ID, Status: rec.Status, CancelReason: rec.CancelReason})
	}
	return c.JSON(viewRecord(rec))
}

// cancelledView is the answer to a caller that may cancel the order but not read it.
type cancelledView struct {
	ID           string       `json:"id"`
	Status       order.Status `json:"status"`
	CancelReason string       `json:"cancel_reason,omitempty"`
}

// decodeReason reads a body that holds a reason and nothing else. Where no reason is
// needed, there may be no body.
func decodeReason(body []byte, of string, needed bool) (reason string, err error) {
	if len(body) == 0 && !needed {
		return "", nil
	}
	members, err := decodeObject(body)
	if err != nil {
		return "", err
	}
	var d decoder
	if _, present := members["reason"]; needed && !present {
		d.add("reason", order.CodeRequired, "is required")
	}
	reason = d.line(members, "reason", order.MaxReasonChars)
	if needed && reason == "" && len(d.problems) == 0 {
		d.add("reason", order.CodeRequired, "must not be empty")
	}
	d.unknown(members, of)
	return reason, d.err()
}

// line reads a text of one line that may be missing.
func (d *decoder) line(members map[string]jsontext.Value, name string, maxChars int) string {
	v := d.value(members, name, '"', "a string")
	if v == nil {
		return ""
	}
	text := unquote(v)
	if problem, ok := order.CheckLine(name, text, maxChars); !ok {
		d.problems = append(d.problems, problem)
	}
	return text
}
