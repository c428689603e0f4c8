package cli

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// sampleOrder is an order as a client sends it.
type sampleOrder struct {
	ID string `json:"id"`
	order.Content
	// Priority replaces the one of Content, because a client may leave it out.
	Priority order.Priority `json:"priority,omitempty"`
}

// expected is the settled order as the rules make it.
func (o sampleOrder) expected(r *rules.Set) client.Order {
	decided := order.Order{Content: o.Content}
	decided.Priority = cmp.Or(o.Priority, order.PriorityMedium)
	facts := rules.Facts{Order: decided}
	d := r.Decide(facts)
	want := client.Order{
		Content: decided.Content, Status: order.StatusCompleted, Handling: d.Handling, Error: d.Reason, Queue: r.Queue(facts),
	}
	if !d.Approved() {
		want.Status = order.StatusRejected
	}
	want.Result = order.Record{Status: want.Status, Handling: want.Handling}.Result()
	return want
}

// newSampleOrder returns the i-th order of a run. Ten orders in a row have every
// priority, amounts on both sides of the bounds and on them, and lists of items that
// are just short enough and too long.
func newSampleOrder(run string, i int, l rules.Limits, c order.Currency) sampleOrder {
	decimals := c.Decimals()
	above, most := minor(l.HighValueAbove, decimals), minor(l.MaxAmount, decimals)
	r := rand.New(rand.NewPCG(sampleSeed, uint64(i))) //nolint:gosec // not a secret, and to be repeated
	o := sampleOrder{ID: fmt.Sprintf("sample-%s-%06d", run, i+1)}
	within := func(lowest, highest int64) order.Money {
		return order.Money{Minor: randomAmount(r, lowest, highest, order.MaxMoney(decimals).Minor), Decimals: decimals}
	}
	o.Content = order.Content{
		Items: randomItems(r, 1+r.IntN(5)), Amount: within(1, above),
		Customer: pick(r, "Ada Lovelace", "Alan Turing", "Grace Hopper", "José Núñez", "李小龍"),
		Address:  fmt.Sprintf("%d %s\n%s", 1+r.IntN(200), pick(r, "High Street", "Mill Lane", "Rue de la Paix"), pick(r, "London", "Genève", "東京")),
	}
	switch i % 10 {
	case 0:
		o.Priority = order.PriorityHigh
	case 1:
		o.Amount = within(above+1, most)
	case 2:
		o.Priority = order.PriorityLow
	case 3:
		o.Priority, o.Notes = order.PriorityMedium, "Please ring twice."
	case 4:
		o.Amount = within(above, above)
	case 5:
		o.Amount = within(most+1, 2*most)
	case 6:
		o.Priority, o.Amount = order.PriorityLow, within(above+1, most)
	case 7:
		o.Items = randomItems(r, l.MaxItems+1+r.IntN(10))
	case 8:
		o.Amount, o.Items = within(most, most), randomItems(r, l.MaxItems)
	case 9:
		o.Priority, o.Amount = order.PriorityHigh, within(above+1, most)
	}
	return o
}

// minor returns a limit in minor units of the currency, which it fits by the checks of the
// configuration.
func minor(limit order.Money, decimals int) int64 {
	m, _ := order.ParseMoney(limit.String(), decimals)
	return m.Minor
}

// randomAmount draws an amount, in minor units, that can be submitted, both ends included where the
// bounds of the rules leave anything between them.
func randomAmount(r *rand.Rand, lowest, highest, largest int64) int64 {
	lowest = min(max(lowest, 1), largest)
	highest = min(max(highest, lowest), largest)
	return lowest + r.Int64N(highest-lowest+1)
}

func randomItems(r *rand.Rand, n int) []order.Item {
	items := make([]string, min(n, order.MaxItems))
	for i := range items {
		items[i] = pick(r, "lamp", "desk", "chair", "kettle", "Bücherregal")
	}
	return order.Names(items...)
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }
