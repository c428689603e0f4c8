package chaos_test

import (
	"time"

	"orderprocessor/internal/order"
)

// shortRetention is how long settled orders are kept in a scenario that needs as many
// orders to leave as come.
const shortRetention = 2 * time.Second

// checkTotals wants the statistics to count what was answered. An order that was
// never answered may be counted, and is known by its effect alone.
func (a *audit) checkTotals() {
	ends, acked, unheard := map[order.Status]int64{}, int64(0), int64(0)
	for id, o := range a.sent {
		if o.acked {
			acked++
			ends[o.ends]++
		} else if b := a.atShop[id]; b != nil {
			unheard++
			ends[o.ends]++
		}
	}
	v := a.stats
	for status, n := range v.ByStatus {
		a.compare("orders "+string(status), n, ends[status])
	}
	a.compare("drift", v.Ledger.Drift, 0)
	a.compare("accepted orders", v.Ledger.Accepted, acked+unheard)
	if missing := acked + unheard - v.Ledger.Accepted; missing > 0 {
		a.verdict.Lost += int(missing) - 1
		a.find(&a.verdict.Lost, "%d orders were answered, %d are counted", acked, v.Ledger.Accepted)
	}
}

// checkEffects wants the shop to have accepted each order that should be completed,
// once and for its amount, and no other.
func (a *audit) checkEffects() {
	for id, o := range a.sent {
		b := a.atShop[id]
		switch accepted := b != nil && b.effects > 0; {
		case o.acked && o.ends == "completed" && !accepted:
			a.find(&a.verdict.Lost, "order %s was answered, and the shop never accepted it", id)
		case accepted && o.ends != "completed":
			a.find(&a.verdict.Drift, "order %s should be %s, and the shop accepted it", id, o.ends)
		case accepted && b.effects > 1:
			a.find(&a.verdict.Duplicated, "order %s took effect %d times", id, b.effects)
		case accepted && b.cents != o.cents:
			a.find(&a.verdict.Drift, "order %s was sent with %d cents, and the shop accepted %d", id, o.cents, b.cents)
		}
	}
	for id := range a.atShop {
		if a.sent[id] == nil {
			a.find(&a.verdict.Invented, "the shop was called for order %s, which was never sent", id)
		}
	}
}
