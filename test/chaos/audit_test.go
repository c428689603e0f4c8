package chaos_test

import (
	"fmt"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/test/kit"
)

// sentOrder is one order in the client's journal.
type sentOrder struct {
	cents int64
	ends  order.Status // the status that it must end in; empty for any
	acked bool         // answered with 2xx at least once
	// Tries by their answers: connections that broke, and 5xx.
	broken, refusedBusy int
	// silent is an order that was accepted without an answer, although its connection
	// seemed to be closed before: its repeat was answered 200.
	silent bool
}

// badlyServed reports whether the client had an answer that it should not have had
// while no program crashed.
func (o *sentOrder) badlyServed() bool { return o.broken > 0 || o.refusedBusy > 0 || o.silent }

// shopOrder is one order in the shop's journal.
type shopOrder struct {
	cents   int64
	effects int
	// answered counts calls; those whose connection the shop broke are left out, as
	// the worker's HTTP client repeats them.
	answered int
}

// audit compares the journals with the answers of the API. A finding is a sentence; the
// verdict counts them by kind.
type audit struct {
	s        *system
	sent     map[string]*sentOrder
	atShop   map[string]*shopOrder
	listed   map[string]client.Order
	stats    kit.Stats
	verdict  verdict
	findings []string
}

// newAudit reads the journals and asks the API. The system must be at rest.
func newAudit(s *system) *audit {
	s.t.Helper()
	a := &audit{s: s, sent: map[string]*sentOrder{}, atShop: map[string]*shopOrder{}, listed: map[string]client.Order{}}
	a.readClient()
	a.readShop()
	var ok bool
	if a.stats, ok = s.stats(); !ok {
		s.t.Fatal("no API answers the auditor")
	}
	for _, o := range s.all() {
		if _, twice := a.listed[o.ID]; twice {
			a.find(&a.verdict.Duplicated, "order %s is listed twice", o.ID)
		}
		a.listed[o.ID] = o
	}
	a.verdict.Orders = len(a.listed)
	a.verdict.Faults = int(s.faults.Load())
	return a
}

// run makes all comparisons.
func (a *audit) run() {
	a.checkOutcomes()
	a.checkShop()
	a.checkStats()
	a.checkSums()
	a.checkBooks()
	a.checkKeys()
	a.verdict.Recovery = a.recovery()
}

// find notes a finding of one kind.
func (a *audit) find(kind *int, format string, args ...any) {
	*kind++
	a.findings = append(a.findings, fmt.Sprintf(format, args...))
}

// redisTime is about how long the API waits for Redis before it answers 503.
const redisTime = 900 * time.Millisecond

func (a *audit) readClient() {
	timedOut := map[string]bool{}
	for _, try := range a.s.client.journal.all() {
		o := a.sent[try.ID]
		if o == nil {
			o = &sentOrder{cents: try.Cents, ends: try.Ends}
			a.sent[try.ID] = o
		}
		switch kind := try.Kind; {
		case kind == broken:
			o.broken++
		case kind == "200" && try.Number > 1 && !o.acked && o.broken == 0 && !timedOut[try.ID]:
			o.silent = true
		case kind == "503" && try.Took >= redisTime:
			timedOut[try.ID] = true
		case len(kind) == 3 && kind >= "500":
			o.refusedBusy++
		}
		o.acked = o.acked || try.Kind == "200" || try.Kind == "201"
	}
}

func (a *audit) readShop() {
	for _, c := range a.s.shop.journal.all() {
		o := a.atShop[c.ID]
		if o == nil {
			o = &shopOrder{cents: c.Cents}
			a.atShop[c.ID] = o
		}
		if c.Status != 0 {
			o.answered++
		}
		if c.Effect == "effect" {
			o.effects++
		}
		if c.Key != c.ID {
			a.find(&a.verdict.Duplicated, "the shop was called for order %s with the key %s", c.ID, c.Key)
		}
	}
}

// checkOutcomes wants each order that was answered or recorded to have the
// outcome it should, and no other orders.
func (a *audit) checkOutcomes() {
	for id, o := range a.sent {
		if _, ok := a.listed[id]; o.acked && !ok {
			a.find(&a.verdict.Lost, "order %s was answered and is gone", id)
		}
	}
	for id, o := range a.listed {
		from := a.sent[id]
		switch {
		case from == nil:
			a.find(&a.verdict.Invented, "order %s was never sent", id)
		case !o.Status.Settled():
			a.find(&a.verdict.Lost, "order %s is %s for good, error %q", id, o.Status, o.Error)
		case o.Amount.Minor != from.cents:
			a.find(&a.verdict.Drift, "order %s has amount %s, %d cents were sent", id, o.Amount, from.cents)
		case from.ends != "" && o.Status != from.ends:
			a.find(&a.verdict.Drift, "order %s is %s after %d attempts and should be %s: %s", id, o.Status, len(o.Attempts), from.ends, o.Error)
		}
	}
}

// checkShop wants the shop to have accepted each completed order, once, and nothing
// else.
func (a *audit) checkShop() {
	for id, o := range a.atShop {
		if a.sent[id] == nil {
			a.find(&a.verdict.Invented, "the shop was called for order %s, which was never sent", id)
		}
		if o.effects > 1 {
			a.find(&a.verdict.Duplicated, "order %s took effect %d times", id, o.effects)
		}
		if attempts := len(a.listed[id].Attempts); o.answered > attempts {
			a.find(&a.verdict.Drift, "the shop answered %d calls for order %s, which had %d attempts", o.answered, id, attempts)
		}
	}
	for id, o := range a.listed {
		accepted := a.atShop[id] != nil && a.atShop[id].effects > 0
		lostLast := o.Status == "failed" && lostWorker(o) // the shop may have accepted it then
		if (o.Status == "completed") != accepted && !lostLast {
			a.find(&a.verdict.Drift, "order %s is %s, and accepted by the shop: %v: %s", id, o.Status, accepted, o.Error)
		}
	}
}

// checkStats wants the statistics to count what is listed.
func (a *audit) checkStats() {
	v, listed, attempts := a.stats, map[order.Status]int64{}, int64(0)
	for _, o := range a.listed {
		listed[o.Status]++
		attempts += int64(len(o.Attempts))
	}
	for status, n := range v.ByStatus {
		a.compare("orders "+string(status), n, listed[status])
	}
	failed := listed["failed"] + listed["rejected"]
	a.compare("orders processed", v.TotalProcessed, listed["completed"]+failed)
	a.compare("successes", v.SuccessCount, listed["completed"])
	a.compare("errors", v.ErrorCount, failed)
	a.compare("attempts", v.Ledger.Attempts, attempts)
	a.compare("drift", v.Ledger.Drift, 0)
	if extra := v.Ledger.Accepted - int64(len(a.listed)); extra > 0 {
		a.verdict.Duplicated += int(extra) - 1
		a.find(&a.verdict.Duplicated, "%d orders are counted as accepted, %d are listed", v.Ledger.Accepted, len(a.listed))
	}
	a.compare("accepted orders", v.Ledger.Accepted, int64(len(a.listed)))
}

func (a *audit) compare(what string, counted, actual int64) {
	if counted != actual {
		a.find(&a.verdict.Drift, "the statistics count %d %s, there are %d", counted, what, actual)
	}
}

// checkSums compares the money of the completed orders: as sent, as listed, and
// as the shop accepted it, to the cent.
func (a *audit) checkSums() {
	var sent, listed, accepted int64
	for id, o := range a.listed {
		if o.Status != "completed" {
			continue
		}
		listed += o.Amount.Minor
		if from := a.sent[id]; from != nil {
			sent += from.cents
		}
		if b := a.atShop[id]; b != nil {
			accepted += b.cents * int64(b.effects)
		}
	}
	if sent != listed || listed != accepted {
		a.find(&a.verdict.Drift, "completed orders are worth %d cents as sent, %d as listed, %d as the shop accepted them", sent, listed, accepted)
	}
}

// checkBooks asks the auditor of the books.
func (a *audit) checkBooks() {
	problems, err := ledgertest.Audit(a.s.t.Context(), a.s.rdb)
	if err != nil {
		a.s.t.Errorf("read the books: %v", err)
	}
	for _, p := range problems {
		a.find(&a.verdict.Drift, "the books do not balance: %s", p)
	}
}
