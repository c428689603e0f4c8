package sim_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// standing is what an acknowledgement depends on: the status of an order, and which run this
// is.
type standing struct {
	status         order.Status
	retry, release string
}

func (s *sim) standing(id string) standing {
	key := ledgertest.RecordKey(id)
	return standing{order.Status(s.server.HGet(key, "s")), s.server.HGet(key, "y"), s.server.HGet(key, "b")}
}

// checkAcknowledged checks that a worker takes no task off the queue whose order still
// needs it.
func (s *sim) checkAcknowledged(d delivery) {
	now, was := s.standing(d.id), d.was
	sameRun := now.retry == was.retry && now.release == was.release && !was.status.Settled()
	if sameRun && !now.status.Settled() && now.status != order.StatusHeld {
		s.find("the task of %s was acknowledged while the order is %s", d.id, now.status)
	}
}

// check compares what clients and the shop have seen with the books.
func (s *sim) check() {
	ctx := context.Background()
	problems, err := ledgertest.Audit(ctx, s.redis)
	if err != nil {
		s.find("read the books: %v", err)
	}
	for _, p := range problems {
		s.find("the books do not balance: %s", p)
	}
	books := ledger.New(s.redis)
	totals, err := books.Totals(ctx)
	if err != nil {
		s.find("read the totals: %v", err)
	}
	s.checkTotals(totals)
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		rec, err := books.Get(ctx, id)
		if err != nil {
			s.checkUnknown(id)
			continue
		}
		events, err := books.Events(ctx, id)
		if err != nil {
			s.find("read the events of %s: %v", id, err)
		}
		s.checkOrder(rec, events)
	}
}

// checkTotals checks that each order is counted once, and that nobody had to correct that.
func (s *sim) checkTotals(t stats.Totals) {
	if t.Drift() != 0 {
		s.find("the ledger has a drift of %d", t.Drift())
	}
	if n := t.Repairs[order.RepairReindexed]; n != 0 {
		s.find("the indexes were rebuilt %d times", n)
	}
	recorded := 0
	for id := range s.clients {
		if s.standing(id).status != "" {
			recorded++
		}
	}
	if t.Accepted != int64(recorded) {
		s.find("%d orders are counted, %d of those submitted are recorded", t.Accepted, recorded)
	}
}

// checkUnknown checks an order that is not in the books.
func (s *sim) checkUnknown(id string) {
	for _, c := range s.clients[id] {
		if c.known {
			s.find("%s was accepted and is lost", id)
		}
	}
	if s.shop.attempts[id] > 0 {
		s.find("the shop was told about %s, which nobody recorded", id)
	}
}

// checkOrder checks one order: its outcome, the answers to its clients, and the calls.
func (s *sim) checkOrder(rec order.Record, events []order.Event) {
	outcomes, retries, settled := 0, 0, false
	for _, e := range events {
		switch {
		case settled && (e.Status != order.StatusPending || e.Actor == ""):
			s.find("%s became %s after its outcome", rec.ID, e.Status)
		case settled:
			retries++
		}
		if settled = e.Status.Settled(); settled {
			outcomes++
		}
	}
	if outcomes != 1+retries {
		s.find("%s has %d outcomes in %d runs, and is %s", rec.ID, outcomes, 1+retries, rec.Status)
	}
	s.checkAnswers(rec, retries)
	s.checkShop(rec)
	attempts := 0
	if n := len(rec.Attempts); n > 0 {
		attempts = rec.Attempts[n-1].Number
	}
	if most := s.maxAttempts*(1+retries) + s.shop.later[rec.ID]; s.maxAttempts > 0 && attempts > most {
		s.find("%s has %d attempts, at most %d are allowed", rec.ID, attempts, most)
	}
	if called := s.shop.attempts[rec.ID]; called > attempts {
		s.find("the shop was called about %s in attempt %d of %d", rec.ID, called, attempts)
	}
}

// checkAnswers compares an order with what its clients were answered.
func (s *sim) checkAnswers(rec order.Record, retries int) {
	created, retried, perhaps := 0, 0, 0
	for _, c := range s.clients[rec.ID] {
		created, retried, perhaps = created+c.created, retried+c.retried, perhaps+c.perhaps
		if !c.cancelled.IsZero() && rec.Status != order.StatusCancelled {
			s.find("%s was cancelled and is %s", rec.ID, rec.Status)
		}
		if c.rejected && rec.Status != order.StatusRejected {
			s.find("%s was rejected and is %s", rec.ID, rec.Status)
		}
		if told := s.shop.told[rec.ID]; !c.cancelled.IsZero() && told.After(c.cancelled) {
			s.find("the shop was told about %s %v after its cancel was answered", rec.ID, told.Sub(c.cancelled).Round(time.Millisecond))
		}
	}
	if created > 1 {
		s.find("%d clients were answered that %s is new", created, rec.ID)
	}
	if retries < retried || retries > retried+perhaps {
		s.find("%s was retried %d times; %d retries were answered, %d perhaps applied", rec.ID, retries, retried, perhaps)
	}
}

// checkShop compares an order with what the shop has accepted.
func (s *sim) checkShop(rec order.Record) {
	accepted := s.shop.accepted[rec.ID]
	switch {
	case rec.Status == order.StatusCompleted && !accepted:
		s.find("%s is completed and the shop has not accepted it", rec.ID)
	case rec.Status == order.StatusCancelled && accepted:
		s.find("%s is cancelled and the shop has accepted it", rec.ID)
	case rec.Status == order.StatusRejected && s.shop.attempts[rec.ID] > 0:
		s.find("%s is rejected and the shop was told", rec.ID)
	case rec.Status == order.StatusFailed && !strings.Contains(rec.Error, reasonOf(rec.Notes)) && !strings.Contains(rec.Error, "attempts used up"):
		s.find("%s failed without a reason: %s", rec.ID, rec.Error)
	}
}

// reasonOf returns why an order of this kind may fail before its attempts are used up.
func reasonOf(kind string) string {
	switch kind {
	case noteRefused:
		return "answered 422"
	case notePoison:
		return "may kill its workers"
	default:
		return "attempts used up"
	}
}
