package ledger

import (
	"encoding/json"
	"time"

	"orderprocessor/internal/order"
)

// document is an order as its record keeps it: without the id, which the key has,
// and with names of one letter, as every order pays for them.
type document struct {
	Amount    order.Money    `json:"a"`
	Items     []string       `json:"i"`
	Customer  string         `json:"c"`
	Address   string         `json:"d"`
	Priority  order.Priority `json:"p"`
	Notes     string         `json:"n,omitempty"`
	ProcessAt time.Time      `json:"t,omitzero"`
}

func encodeOrder(o order.Order) ([]byte, error) {
	return json.Marshal(document{
		Amount: o.Amount, Items: o.Items, Customer: o.Customer, Address: o.Address,
		Priority: o.Priority, Notes: o.Notes, ProcessAt: o.ProcessAt,
	})
}

// decodeOrder reads what encodeOrder wrote, and what earlier versions did: the order
// as clients see it. No order is without a customer.
func decodeOrder(id, text string) (order.Order, error) {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return order.Order{}, err
	}
	if d.Customer == "" {
		var o order.Order
		err := json.Unmarshal([]byte(text), &o)
		return o, err
	}
	return order.Order{
		ID: id, Amount: d.Amount, Items: d.Items, Customer: d.Customer, Address: d.Address,
		Priority: d.Priority, Notes: d.Notes, ProcessAt: d.ProcessAt,
	}, nil
}
