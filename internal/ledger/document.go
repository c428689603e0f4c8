package ledger

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"orderprocessor/internal/order"
)

// document is an order's content as its record stores it, with one-letter names to
// save memory. It converts to and from order.Content only while both have the same
// fields in the same order, so a field that is missing here does not compile. Names
// must never change or be used again: records are read by newer and older versions.
type document struct {
	Amount    order.Money       `json:"a"`
	Currency  order.Currency    `json:"u,omitempty"`
	Items     []order.Item      `json:"i"`
	Customer  string            `json:"c"`
	Address   string            `json:"d,omitempty"`
	Country   order.Country     `json:"l,omitempty"`
	Priority  order.Priority    `json:"p"`
	Notes     string            `json:"n,omitempty"`
	Metadata  map[string]string `json:"m,omitzero"`
	ProcessAt time.Time         `json:"t,omitzero"`
}

// documentOptions read what encoding/json has written, too, in half its time.
//
//nolint:gochecknoglobals // never changed
var documentOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.Deterministic(true))

// encodeOrder writes an order's document. The id is in the record's key.
func encodeOrder(o order.Order) ([]byte, error) {
	return json.Marshal(document(o.Content), documentOptions)
}

// decodeOrder reads what encodeOrder wrote. It also reads what earlier versions
// wrote, which is the order as clients see it: a document without a customer.
func decodeOrder(id, text string) (order.Order, error) {
	var d document
	if err := json.Unmarshal([]byte(text), &d, documentOptions); err != nil {
		return order.Order{}, err
	}
	if d.Customer != "" {
		return order.Order{ID: id, Content: order.Content(d)}, nil
	}
	var o order.Order
	err := json.Unmarshal([]byte(text), &o, documentOptions)
	return o, err
}
