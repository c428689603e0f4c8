package cli

import (
	"fmt"
	"math/rand/v2"

	"orderprocessor/internal/order"
)

// sampleSeed makes every run submit the same orders, but for their ids.
const sampleSeed = 1815

// sampleOrder is an order as a client would send it.
type sampleOrder struct {
	ID       string         `json:"id"`
	Amount   order.Money    `json:"amount"`
	Items    []string       `json:"items"`
	Customer string         `json:"customer"`
	Address  string         `json:"address"`
	Priority order.Priority `json:"priority,omitempty"`
	Notes    string         `json:"notes,omitempty"`
}

// newSample returns the i-th order of a run. Ten orders in a row have every
// priority, amounts on both sides of the bounds and on them, and lists of items
// that are just long enough and too long.
func newSample(run string, i int, l limits) sampleOrder {
	r := rand.New(rand.NewPCG(sampleSeed, uint64(i))) //nolint:gosec // not a secret, and to be repeated
	o := sampleOrder{
		ID: fmt.Sprintf("sample-%s-%06d", run, i+1), Items: someItems(r, 1+r.IntN(5)),
		Amount:   between(r, 1, l.highValueAbove),
		Customer: pick(r, "Ada Lovelace", "Alan Turing", "Grace Hopper", "José Núñez", "李小龍"),
		Address:  fmt.Sprintf("%d %s\n%s", 1+r.IntN(200), pick(r, "High Street", "Mill Lane", "Rue de la Paix"), pick(r, "London", "Genève", "東京")),
	}
	switch i % 10 {
	case 0:
		o.Priority = order.PriorityHigh
	case 1:
		o.Amount = between(r, l.highValueAbove+1, l.maxAmount)
	case 2:
		o.Priority = order.PriorityLow
	case 3:
		o.Priority, o.Notes = order.PriorityMedium, "Please ring twice."
	case 4:
		o.Amount = between(r, l.highValueAbove, l.highValueAbove)
	case 5:
		o.Amount = between(r, l.maxAmount+1, 2*l.maxAmount)
	case 6:
		o.Priority, o.Amount = order.PriorityLow, between(r, l.highValueAbove+1, l.maxAmount)
	case 7:
		o.Items = someItems(r, l.maxItems+1+r.IntN(10))
	case 8:
		o.Amount, o.Items = l.maxAmount, someItems(r, l.maxItems)
	case 9:
		o.Priority, o.Amount = order.PriorityHigh, between(r, l.highValueAbove+1, l.maxAmount)
	}
	return o
}

// between draws an amount that can be submitted, at both ends included where
// the rules' bounds leave anything between them.
func between(r *rand.Rand, lowest, highest order.Money) order.Money {
	lowest = min(max(lowest, 1), order.MaxMoney)
	highest = min(max(highest, lowest), order.MaxMoney)
	return lowest + order.Money(r.Int64N(int64(highest-lowest)+1))
}

func someItems(r *rand.Rand, n int) []string {
	items := make([]string, min(n, order.MaxItems))
	for i := range items {
		items[i] = pick(r, "lamp", "desk", "chair", "kettle", "Bücherregal")
	}
	return items
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }
