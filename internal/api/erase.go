package api

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// eraseReason is the reason of an erasure, in its job and in the timelines of the orders.
const eraseReason = "personal data erased"

// eraseCustomer answers POST /customers/erase.
func (s *Server) eraseCustomer(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	customer, err := decodeErasure(bodyOf(c))
	if err != nil {
		return err
	}
	return s.startJob(c, order.Job{Action: order.JobErase, Filter: order.Filter{Customer: customer}, Reason: eraseReason}, key)
}

// decodeErasure reads whom to erase.
func decodeErasure(body []byte) (customer string, err error) {
	members, err := decodeObject(body)
	if err != nil {
		return "", err
	}
	var d decoder
	customer = d.customer(members)
	d.unknown(members, "an erasure")
	return customer, d.err()
}

func (d *decoder) customer(members map[string]jsontext.Value) string {
	if _, present := members["customer"]; !present {
		d.add("customer", order.CodeRequired, "is required")
		return ""
	}
	customer := d.line(members, "customer", order.MaxCustomerChars)
	switch {
	case len(d.problems) > 0:
	case customer == "":
		d.add("customer", order.CodeRequired, "must not be empty")
	case customer == order.ErasedText:
		d.add("customer", order.CodeInvalid, "must not be %s, which stands where a customer was erased", order.ErasedText)
	}
	return customer
}
