package peers

import (
	"encoding/json"
	"fmt"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// bounds are the rules that our worker has by default.
//
//nolint:gochecknoglobals // compiled once, never changed
var bounds = rules.Builtin(rules.Limits{HighValueAbove: order.Cents(1000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50})

// decide is the whole work on an order: decode its body and apply the rules. A
// rejection is a decision, not an error, and there are no books to write either
// into.
func decide(body []byte) (order.Order, error) {
	o, err := decode(body)
	if err != nil {
		return order.Order{}, err
	}
	_ = bounds.Decide(rules.Facts{Order: o})
	return o, nil
}

func decode(body []byte) (order.Order, error) {
	o := order.Order{Content: order.Content{Priority: order.PriorityMedium}}
	if err := json.Unmarshal(body, &o); err != nil {
		return order.Order{}, fmt.Errorf("decode an order: %w", err)
	}
	return o, nil
}
