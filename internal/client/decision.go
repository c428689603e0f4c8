package client

import (
	"context"

	"orderprocessor/internal/order"
)

// Decision is what the rules decided about an order, and why.
type Decision struct {
	Raw
	Decided
	Facts struct {
		Order struct {
			Currency order.Currency `json:"currency"`
		} `json:"order"`
		// Customer is nil if no rule asked about the customer.
		Customer *CustomerFacts `json:"customer"`
	} `json:"facts"`
	// Shadow is what the shadow decided; nil without one.
	Shadow *Decided `json:"shadow"`
}

func (d *Decision) recognised() bool { return d.Version != "" }

// Decided is what one version of the rules decided.
type Decided struct {
	Version  string         `json:"version"`
	Action   order.Action   `json:"decision"`
	Handling order.Handling `json:"handling"`
	// Rule is the rule that decided; empty when none did.
	Rule   string   `json:"rule"`
	Reason string   `json:"reason"`
	Tags   []string `json:"tags"`
	// Rules are those that were tried, in turn.
	Rules []struct {
		Name    string `json:"name"`
		Matched bool   `json:"matched"`
		Error   string `json:"error"`
	} `json:"rules"`
}

// Label names the decision in a comparison of two.
func (d Decided) Label() string {
	return order.Decision{Action: d.Action, Handling: d.Handling}.Label()
}

// CustomerFacts are the orders of a customer in the 24 hours before an order, and that
// order itself. The amount is in minor units of its currency.
type CustomerFacts struct {
	Orders24h int64 `json:"orders_24h"`
	Amount24h int64 `json:"amount_24h"`
}

// Decision returns what the rules decided about an order.
func (c *Client) Decision(ctx context.Context, id string) (Decision, error) {
	return decode[Decision](c.sendOnce(ctx, get("orders", id, "decision")))
}

// Timeline is the events of one order, oldest first.
type Timeline struct {
	Raw
	Events []Event `json:"events"`
}

func (t *Timeline) recognised() bool { return t.Events != nil }

// Timeline returns the events of an order. They do not repeat the order's id.
func (c *Client) Timeline(ctx context.Context, id string) (Timeline, error) {
	return decode[Timeline](c.sendOnce(ctx, get("orders", id, "events")))
}
