// Package simple is what systems have in common that a user would build around a job
// library in an afternoon: the order, its rules, and four routes over HTTP.
//
// It receives requests and hands them to a Store, which makes an order and its job
// durable. It checks few fields, has no limits and repeats nothing: the less it does,
// the faster what is measured.
package simple

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
)

// The bounds of the rules are the defaults of our own configuration.
const (
	maxAmount      = 10_000
	maxItems       = 50
	highValueAbove = 1_000
)

// The priorities, as far as they decide anything.
const (
	highPriority   = 1
	mediumPriority = 2
)

// The statuses.
const (
	Pending   = "pending"
	Completed = "completed"
	Rejected  = "rejected"
)

// Order is what clients send.
type Order struct {
	ID       string   `json:"id"`
	Amount   float64  `json:"amount"`
	Items    []string `json:"items"`
	Customer string   `json:"customer"`
	Address  string   `json:"address"`
	Priority int      `json:"priority"`
	Notes    string   `json:"notes,omitempty"`
}

// Record is an order and what became of it.
type Record struct {
	Order

	Status      string     `json:"status"`
	Handling    string     `json:"handling,omitempty"`
	Error       string     `json:"error,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	ProcessedAt *time.Time `json:"processed_at,omitempty"`
}

// errIncomplete is the answer to an order without what it needs.
var errIncomplete = errors.New("amount, items, customer and address are required, and priority is 1, 2 or 3")

// decode reads an order and makes an id if it has none.
func decode(body []byte) (Order, error) {
	o := Order{Priority: mediumPriority}
	if err := json.Unmarshal(body, &o); err != nil {
		return Order{}, err
	}
	if o.Amount <= 0 || len(o.Items) == 0 || o.Customer == "" || o.Address == "" || o.Priority < 1 || o.Priority > 3 {
		return Order{}, errIncomplete
	}
	if o.ID != "" {
		return o, nil
	}
	id, err := uuid.NewV7()
	o.ID = id.String()
	return o, err
}

// Facts are what the rules look at. A job carries them, so that its worker needs no
// record to decide.
type Facts struct {
	ID       string  `json:"id"`
	Amount   float64 `json:"amount"`
	Items    int     `json:"items"`
	Priority int     `json:"priority"`
}

// Facts returns those of the order.
func (o Order) Facts() Facts {
	return Facts{ID: o.ID, Amount: o.Amount, Items: len(o.Items), Priority: o.Priority}
}

// Outcome is the end of an order. A rejected one has an Error, any other a Handling.
type Outcome struct{ Status, Handling, Error string }

// Decide applies the rules.
func (f Facts) Decide() Outcome {
	switch {
	case f.Amount > maxAmount:
		return Outcome{Status: Rejected, Error: "order amount exceeds limit"}
	case f.Items > maxItems:
		return Outcome{Status: Rejected, Error: "too many items in order"}
	case f.Amount > highValueAbove:
		return Outcome{Status: Completed, Handling: "priority"}
	case f.Priority == highPriority:
		return Outcome{Status: Completed, Handling: "expedited"}
	default:
		return Outcome{Status: Completed, Handling: "standard"}
	}
}
