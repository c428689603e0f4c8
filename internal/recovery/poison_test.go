package recovery_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
)

// candidate accepts an order, lets two workers be lost with it, and lets a third one hold
// it. The order is in quarantine.
func candidate(b *bundle) {
	b.t.Helper()
	b.do(accept("o1"), enqueue("o1"), work("o1", "w1"), requeueOrphans, work("o1", "w2"), requeueOrphans, work("o1", "w3"))
}

// quarantine replaces the order in quarantine.
func quarantine(id string, term time.Duration) step {
	return func(b *bundle) { b.RDB.Set(b.t.Context(), ledgertest.QuarantineKey, id, term) }
}

// gone removes a task from the active ones, as if it had been acknowledged.
func gone(id string) step {
	return func(b *bundle) { b.RDB.LRem(b.t.Context(), queueKey+"active", 0, id) }
}

// TestPoisonOrder checks that an order which has lost its third worker fails, and that
// the losses start at zero after a retry.
func TestPoisonOrder(t *testing.T) {
	b := open(t)
	b.do(candidate, requeueOrphans)
	want := requeued{
		order.StatusFailed, 3, "worker was lost", true,
		repairs{order.RepairOrphan: 3, order.RepairPoisonOrder: 1},
	}
	wantEqual(t, "after the third loss", want, b.requeued("o1"))
	if got := b.get("o1").Error; got != "worker was lost 3 times: the order may kill its workers" {
		t.Errorf("it failed with %q", got)
	}
	b.do(retry("o1"), work("o1", "w4"), requeueOrphans)
	if got := b.get("o1").Status; got != order.StatusRetrying {
		t.Errorf("after the first loss of the next run it is %s", got)
	}
}

// TestQuarantineOneAtATime checks that of the orders that have lost two workers, one at a
// time is requeued, and that only this one fails when it loses a third.
func TestQuarantineOneAtATime(t *testing.T) {
	b := open(t)
	ids := []string{"o1", "o2", "o3", "o4"}
	for _, id := range ids {
		b.do(accept(id), enqueue(id), work(id, "w1"))
	}
	requeueOrphans(b)
	for _, id := range ids {
		b.do(work(id, "w2"))
	}
	requeueOrphans(b)
	first := b.Pending(order.QueueDefault)
	if n := b.RDB.ZCard(t.Context(), queueKey+"lease").Val(); n != 0 {
		t.Errorf("Asynq may requeue %d of the candidates", n)
	}
	b.do(requeueOrphans, requeueOrphans) // the first waits for a worker
	wantEqual(t, "pending while the first waits", first, b.Pending(order.QueueDefault))
	if len(first) != 1 {
		t.Fatalf("%v are pending", first)
	}
	b.do(fetch(first[0]), settle(first[0], order.StatusCompleted), gone(first[0]), requeueOrphans)
	second := b.Pending(order.QueueDefault)
	if len(second) != 1 || second[0] == first[0] {
		t.Fatalf("after the end of the first %v are pending", second)
	}
	b.do(work(second[0], "w3"), requeueOrphans)
	if got := b.get(second[0]).Status; got != order.StatusFailed {
		t.Errorf("the second candidate is %s", got)
	}
	for range 2 {
		if got := b.Pending(order.QueueDefault); len(got) != 2 { // the failed one, to be acknowledged, and the third candidate
			t.Errorf("pending: %v", got)
		}
		requeueOrphans(b)
	}
	if n := b.repairs()[order.RepairPoisonOrder]; n != 1 {
		t.Errorf("%d poison orders are counted", n)
	}
}

// TestLostOutsideQuarantine checks that a candidate which is lost while another one is in
// quarantine has not lost its last worker, and waits for the other one.
func TestLostOutsideQuarantine(t *testing.T) {
	b := open(t)
	b.do(candidate, quarantine("o2", time.Hour), accept("o2"), begin("o2", "w4"), requeueOrphans)
	if rec := b.get("o1"); rec.Status != order.StatusRetrying || rec.WorkersLost != 2 {
		t.Errorf("it is %s and has lost %d workers", rec.Status, rec.WorkersLost)
	}
	if got := b.Pending(order.QueueDefault); len(got) != 0 {
		t.Errorf("%v are pending although another order is in quarantine", got)
	}
	b.do(settle("o2", order.StatusCompleted), requeueOrphans)
	wantEqual(t, "pending after it", []string{"o1"}, b.Pending(order.QueueDefault))
}

// TestQuarantineEnds checks when the quarantine of a candidate ends: not while it is
// worked or waits for a worker, and when its attempt has ended in any other way.
func TestQuarantineEnds(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		steps []step
		lasts bool
	}{
		{"worked", []step{begin("o1", "w4"), quarantine("o1", time.Minute)}, true},
		{"waiting for a worker", nil, true},
		{"failed at the shop", []step{fail("o1")}, false},
		{"settled", []step{settle("o1", order.StatusCompleted)}, false},
		{"forgotten", []step{settle("o1", order.StatusCompleted), forget}, false},
		{"without an attempt", []step{accept("o2"), quarantine("o2", time.Minute)}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(candidate, gone("o1"), lose("o1", 3, true), quarantine("o1", 2*time.Minute))
			b.do(row.steps...)
			requeueOrphans(b)
			if lasts := b.RDB.Exists(t.Context(), ledgertest.QuarantineKey).Val() == 1; lasts != row.lasts {
				t.Errorf("the quarantine lasts: %t, want %t", lasts, row.lasts)
			}
			if ttl := b.RDB.PTTL(t.Context(), ledgertest.QuarantineKey).Val(); row.name == "worked" && ttl <= time.Minute {
				t.Errorf("its term did not start again: %v", ttl)
			}
		})
	}
}

// TestLostWithCandidate checks that an order in quarantine does not fail when its worker
// held another candidate; an order that becomes a candidate with this loss is none.
func TestLostWithCandidate(t *testing.T) {
	t.Parallel()
	failed := func(b *bundle) {
		queuetest.Must(b.t, b.books.Fail(b.t.Context(), claim("o2", "w3"), order.Failure{Error: "busy", RetryIn: time.Second}))
	}
	rows := map[string]struct {
		losses int // of the other order
		other  []step
		want   order.Status
	}{
		"no candidate":           {1, []step{work("o2", "w3")}, order.StatusFailed},
		"a candidate":            {2, []step{work("o2", "w3")}, order.StatusRetrying},
		"a candidate found lost": {2, []step{work("o2", "w3"), lose("o2", 3, false)}, order.StatusRetrying},
		"a candidate that ended": {2, []step{work("o2", "w3"), failed}, order.StatusFailed},
		"on another worker":      {2, []step{work("o2", "w4")}, order.StatusFailed},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			for id, losses := range map[string]int{"o1": 2, "o2": row.losses} {
				b.do(accept(id), enqueue(id))
				for n := range losses {
					b.do(begin(id, "w1"), lose(id, n+1, false))
				}
			}
			b.do(row.other...)
			b.do(work("o1", "w3"), quarantine("o1", time.Minute), requeueOrphans)
			if got := b.get("o1").Status; got != row.want {
				t.Errorf("it is %s, want %s", got, row.want)
			}
		})
	}
}

// TestLongWait checks that a candidate which has waited long for its quarantine is
// requeued, although another one is in quarantine.
func TestLongWait(t *testing.T) {
	b := open(t)
	b.do(candidate, accept("o2"), begin("o2", "w4"), quarantine("o2", time.Hour), requeueOrphans)
	if got := b.Pending(order.QueueDefault); len(got) != 0 {
		t.Fatalf("%v are pending at once", got)
	}
	attempt := strings.Split(b.RDB.HGet(t.Context(), ledgertest.RecordKey("o1"), "a3").Val(), "\t")
	attempt[2] = strconv.FormatInt(time.Now().Add(-time.Minute).UnixMicro(), 10) // its end; orphans are found a minute from now
	b.RDB.HSet(t.Context(), ledgertest.RecordKey("o1"), "a3", strings.Join(attempt, "\t"))
	requeueOrphans(b)
	wantEqual(t, "pending", []string{"o1"}, b.Pending(order.QueueDefault))
}
