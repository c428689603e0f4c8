package chaos_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"orderprocessor/internal/order"
)

// submission is an order as a client sends it, and what is to become of it.
type submission struct {
	ID       string      `json:"id,omitempty"` // empty for an order that a key names
	Amount   json.Number `json:"amount"`
	Items    []string    `json:"items"`
	Customer string      `json:"customer"`
	Address  string      `json:"address"`
	Priority int         `json:"priority"`
	// ProcessAt is when to begin, empty for at once.
	ProcessAt string `json:"process_at,omitempty"`

	// Ends is the status that the order must end in; empty for any.
	Ends order.Status `json:"-"`
}

// plain returns an order that completes. No two numbers below a million have the
// same amount, so that a sum identifies its orders.
func plain(id string, n int) submission {
	return submission{
		ID: id, Amount: money(1_00 + n), Items: []string{"tea", "cups"}, Customer: fmt.Sprintf("customer-%d", n%97),
		Address: "12 Main Street", Priority: 1 + n%3, Ends: "completed",
	}
}

// mixed returns one of the many orders of a scenario: all priorities, some of
// high value, and in each hundred two that the rules reject.
func mixed(n int) submission {
	o := plain(fmt.Sprintf("order-%06d", n), n)
	switch {
	case n%100 == 0:
		o.Amount, o.Ends = money(10_000_00+1_00+n), "rejected"
	case n%100 == 1:
		o.Items, o.Ends = slices.Repeat([]string{"tea"}, 51), "rejected"
	case n%10 == 2:
		o.Amount = money(3_000_00 + n)
	}
	return o
}

func (o submission) json() string {
	text, _ := json.Marshal(o)
	return string(text)
}

// money writes cents as an amount.
func money(cents int) json.Number {
	return json.Number(fmt.Sprintf("%d.%02d", cents/100, cents%100))
}

// cents reads an amount.
func cents(amount json.Number) int64 {
	number, _ := amount.Float64()
	return int64(math.Round(number * 100))
}
