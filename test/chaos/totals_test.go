package chaos_test

import (
	"slices"
	"time"
)

// concludeByTotals ends a scenario whose records leave before the auditor could
// list them: it waits for rest and until all have left, and compares the totals of
// the statistics with the journals. Every order must have an end that is certain.
func (s *system) concludeByTotals() *audit {
	s.t.Helper()
	s.rest()
	s.until("all orders are forgotten", restPatience, func() bool {
		var page struct {
			Orders []orderView `json:"orders"`
		}
		return s.get("/orders?limit=1", &page) == nil && len(page.Orders) == 0 && s.archived() == 0
	})
	a := newAudit(s)
	a.verdict.Orders = int(a.stats.Ledger.Accepted)
	a.checkTotals()
	a.checkEffects()
	a.checkBooks()
	a.checkKeys()
	results.add(s.name, s.seed, a.verdict)
	a.tell()
	return a
}

// archived counts what Asynq has archived, which leaves after its order.
func (s *system) archived() int64 {
	var n int64
	for _, q := range []string{"critical", "default", "low"} {
		n += s.rdb.ZCard(s.t.Context(), queueStart+q+"}:archived").Val()
	}
	return n
}

// tell fails the test for every finding.
func (a *audit) tell() {
	a.s.t.Helper()
	slices.Sort(a.findings)
	slices.Reverse(a.findings) // orders before keys
	for i, finding := range a.findings {
		if i == shownFindings {
			a.s.t.Errorf("and %d findings more", len(a.findings)-i)
			return
		}
		a.s.t.Error(finding)
	}
}

// checkTotals wants the statistics to count what was answered. An order that was
// never answered may be counted, and is known by its effect alone.
func (a *audit) checkTotals() {
	ends, acked, unheard := map[string]int64{}, int64(0), int64(0)
	for id, o := range a.sent {
		if o.acked {
			acked++
			ends[o.ends]++
		} else if b := a.bought[id]; b != nil {
			unheard++
			ends[o.ends]++
		}
	}
	v := a.stats
	for status, n := range v.ByStatus {
		a.compare("orders "+status, n, ends[status])
	}
	a.compare("drift", v.Ledger.Drift, 0)
	a.compare("accepted orders", v.Ledger.Accepted, acked+unheard)
	if missing := acked + unheard - v.Ledger.Accepted; missing > 0 {
		a.verdict.Lost += int(missing) - 1
		a.find(&a.verdict.Lost, "%d orders were answered, %d are counted", acked, v.Ledger.Accepted)
	}
}

// checkEffects wants the shop to have taken each order that should be completed,
// once and for its amount, and no other.
func (a *audit) checkEffects() {
	for id, o := range a.sent {
		b := a.bought[id]
		switch taken := b != nil && b.effects > 0; {
		case o.acked && o.ends == "completed" && !taken:
			a.find(&a.verdict.Lost, "order %s was answered, and the shop never took it", id)
		case taken && o.ends != "completed":
			a.find(&a.verdict.Drift, "order %s should be %s, and the shop took it", id, o.ends)
		case taken && b.effects > 1:
			a.find(&a.verdict.Duplicated, "order %s took effect %d times", id, b.effects)
		case taken && b.cents != o.cents:
			a.find(&a.verdict.Drift, "order %s was sent with %d cents, and the shop took %d", id, o.cents, b.cents)
		}
	}
	for id := range a.bought {
		if a.sent[id] == nil {
			a.find(&a.verdict.Invented, "the shop was called for order %s, which was never sent", id)
		}
	}
}

// brief is how long settled orders are kept where a scenario is to reach a state
// in which as many leave as come.
const brief = 2 * time.Second
